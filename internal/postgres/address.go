package postgres

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrAddress means that an address has to be written differently. The errors that
// wrap it are for the user. They quote nothing of the address, whose parts may be
// parts of a password.
var ErrAddress = errors.New("not the address of a PostgreSQL database")

// addressForm is that of a URL whose special characters are percent-encoded: each
// of @ / ? # has the one place where it separates parts. Without this check an
// unescaped @ in a password would make the rest of the password the host's name,
// which is looked up in the DNS and printed when it is not found.
var addressForm = regexp.MustCompile(`^postgres(ql)?://` +
	`([^/?#@\s[:cntrl:]]*@)?` + // user and password
	`([A-Za-z0-9._%,:-]|\[[0-9A-Fa-f:.]+(%25[A-Za-z0-9._-]+)?\])*` + // hosts and ports
	`(/[^/?#@\s[:cntrl:]]*)?` + // database
	`(\?[^?#@\s[:cntrl:]]*)?$`) // parameters

// hostForm is that of host names. IP addresses and directories of sockets are
// recognised by themselves.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$`)

// serverSettings are the settings of PostgreSQL that an address may contain. A
// word that is none may be a part of a password, and must not be sent as a setting.
var serverSettings = []string{
	"application_name", "client_encoding", "datestyle", "default_transaction_isolation", "extra_float_digits", "geqo",
	"idle_in_transaction_session_timeout", "intervalstyle", "jit", "lock_timeout", "options", "role", "search_path",
	"statement_timeout", "synchronous_commit", "timezone", "work_mem",
}

// CheckAddress returns nil if an address of a database is well-formed: a URL, or
// keywords and values as libpq reads them. Otherwise it returns ErrAddress.
func CheckAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

// ThroughPooler is the address with a mode of queries that poolers understand
// which give each transaction another connection: it needs no statement that was
// prepared in an earlier transaction.
func ThroughPooler(address string) string {
	const mode = "default_query_exec_mode=cache_describe"
	switch {
	case !isURL(address):
		return address + " " + mode
	case strings.Contains(address, "?"):
		return address + "&" + mode
	}
	return address + "?" + mode
}

func isURL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func parseAddress(address string) (*pgxpool.Config, error) {
	if isURL(address) && !addressForm.MatchString(address) {
		return nil, errAddress("percent-encode special characters in user, password and database: " +
			"%40 is @, %3A is :, %2F is /, %3F is ?, %23 is #, %25 is %")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errAddress(fromEnvironment()) // not wrapped: pgx's error may quote the password
	}
	if err := checkParts(config.ConnConfig); err != nil {
		return nil, err
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	// Sent when connecting, because a role or a database may have another default.
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	return config, nil
}

func checkParts(config *pgx.ConnConfig) error {
	hosts := []string{config.Host}
	for _, other := range config.Fallbacks {
		hosts = append(hosts, other.Host)
	}
	for _, host := range hosts {
		if !isHost(host) {
			return errAddress("a host is a name, an IP address, or the directory of a socket")
		}
	}
	if strings.Contains(config.Database+config.User, "://") {
		return errAddress("it contains another address")
	}
	for name := range config.RuntimeParams {
		if !slices.Contains(serverSettings, strings.ToLower(name)) {
			return errAddress("it contains a parameter that neither libpq nor pgx knows; settings of the server go into options=-c%20name%3Dvalue")
		}
	}
	if encoding := config.RuntimeParams["client_encoding"]; encoding != "" && !isUTF8(encoding) {
		return errAddress("client_encoding must be UTF8: leave it out")
	}
	return checkQueryMode(config)
}

func checkQueryMode(config *pgx.ConnConfig) error {
	const remedy = ": leave it out, or set DATABASE_POOLER=true for a pooler without prepared statements"
	switch mode := config.DefaultQueryExecMode; {
	case mode != pgx.QueryExecModeCacheStatement && mode != pgx.QueryExecModeCacheDescribe:
		// They send parameters without knowing their types, or need one connection
		// for two round trips.
		return errAddress("default_query_exec_mode must not be " + strings.ReplaceAll(mode.String(), " ", "_") + remedy)
	case config.StatementCacheCapacity < 1:
		return errAddress("statement_cache_capacity must be positive" + remedy)
	case config.DescriptionCacheCapacity < 1:
		return errAddress("description_cache_capacity must be positive: leave it out")
	}
	return nil
}

func isHost(host string) bool {
	if strings.HasPrefix(host, "/") || hostForm.MatchString(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func isUTF8(encoding string) bool {
	return strings.EqualFold(strings.NewReplacer("-", "", "_", "", "'", "").Replace(encoding), "UTF8")
}

// errAddress says what an address looks like, and what to do about this one.
func errAddress(advice string) error {
	const example = "%w, such as postgres://user:password@host:5432/eventbooking?sslmode=require" //nolint:gosec // an example
	if advice == "" {
		return fmt.Errorf(example, ErrAddress)
	}
	return fmt.Errorf(example+": %s", ErrAddress, advice)
}

// fromEnvironment names the variables of libpq that are set: they complete an
// address, and may be what is wrong.
func fromEnvironment() string {
	var set []string
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PG") && value != "" {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return ""
	}
	slices.Sort(set)
	return "or a variable that completes it is wrong: " + strings.Join(set, ", ")
}
