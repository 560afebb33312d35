package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"eventbooking/internal/fault"
)

// OldestVersion is the oldest major version of PostgreSQL that the service is
// tested with.
const OldestVersion = 15

// ErrUnsuitable means that a database refuses this user, or that the service
// cannot work with it. The errors that wrap it are for the user, and say what to do.
var ErrUnsuitable = errors.New("this database cannot be used")

// Path is what lies between this process and a database.
type Path struct {
	// Pooler means that connections lead to a pooler or proxy. What belongs to a
	// session, such as LISTEN, may get lost there.
	Pooler bool
	// Unprepared means that this pooler loses prepared statements, and that the
	// address has to be ThroughPooler.
	Unprepared bool
}

// Check connects to a database and returns how it is reached, or an error that
// says why the service cannot use it: ErrAddress, ErrUnsuitable, or
// fault.DatabaseUnavailable if it does not answer now.
func Check(ctx context.Context, address string) (Path, error) {
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	path, err := findPath(limited, address)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return Path{}, fault.DatabaseUnavailable.New("The database accepts connections, but does not answer.")
	}
	return path, err
}

// checkTimeout bounds Check: a server or a pooler may accept a connection and then say
// nothing.
const checkTimeout = 10 * time.Second

func findPath(ctx context.Context, address string) (Path, error) {
	config, err := parseAddress(address)
	if err != nil {
		return Path{}, err
	}
	conn, err := connect(ctx, config.ConnConfig)
	if err != nil {
		return Path{}, err
	}
	defer closeConn(ctx, conn)
	var s server
	if err := s.read(ctx, conn); err != nil {
		return Path{}, Translate(err)
	}
	if err := s.check(); err != nil {
		return Path{}, err
	}
	// A pooler answers with a process id of its own.
	path := Path{Pooler: s.pid != conn.PgConn().PID()}
	if path.Pooler && config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		path.Unprepared, err = losesStatements(ctx, conn)
	}
	return path, err
}

// connect is pgx.ConnectConfig with errors of ours.
func connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	// A copy: pgx takes ownership of what it is given.
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	switch {
	case err == nil:
		return conn, nil
	case isRefused(err):
		return nil, fmt.Errorf("%w: %w", ErrUnsuitable, err)
	}
	return nil, Translate(err)
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}

// isRefused reports whether a server or pooler refused a connection for what only
// another setting can change.
func isRefused(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	switch pgErr.Code {
	case invalidPassword, invalidAuthorization, noSuchDatabase, insufficientPrivilege, noSuchSetting, invalidSetting:
		return true
	case protocolViolation: // what poolers say, besides that they cannot reach the server
		return slices.ContainsFunc([]string{"no such database", "no such user", "unsupported startup parameter"},
			func(text string) bool { return strings.Contains(pgErr.Message, text) })
	}
	return false
}

// server is what Check looks at.
type server struct {
	version, encoding, clientEncoding, schema, user string
	number                                          int
	standby, extension                              bool
	pid                                             uint32
}

func (s *server) read(ctx context.Context, conn *pgx.Conn) error {
	// The simple protocol works through every pooler.
	return conn.QueryRow(ctx, `
		SELECT current_setting('server_version'), current_setting('server_version_num')::int,
		       current_setting('server_encoding'), current_setting('client_encoding'),
		       coalesce(current_schema(), ''), current_user::text, pg_is_in_recovery(), pg_backend_pid(),
		       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist')
		       OR EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')`, pgx.QueryExecModeSimpleProtocol).
		Scan(&s.version, &s.number, &s.encoding, &s.clientEncoding, &s.schema, &s.user, &s.standby, &s.pid, &s.extension)
}

// check returns what keeps the service from working, or nil.
func (s *server) check() error {
	problem := ""
	switch {
	case s.number < OldestVersion*10_000:
		problem = fmt.Sprintf("its server is PostgreSQL %s: use version %d or newer", s.version, OldestVersion)
	case s.encoding != "UTF8":
		problem = fmt.Sprintf("its encoding is %s, which cannot store every text: make one with "+
			"CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", s.encoding)
	case s.clientEncoding != "UTF8":
		problem = fmt.Sprintf("its client_encoding is %s, although the connection asked for UTF8: let the pooler pass client_encoding on", s.clientEncoding)
	case s.standby:
		problem = "its server is a standby, which can only be read: use the address of the primary, " +
			"or name all servers and add target_session_attrs=read-write"
	case !s.extension:
		problem = "its server lacks the extension btree_gist: install PostgreSQL's contrib package there"
	case s.schema != "public" && s.schema != "":
		problem = fmt.Sprintf("the search_path of the role %s begins with the schema %q: "+
			"ALTER ROLE %s SET search_path = public", s.user, s.schema, pgx.Identifier{s.user}.Sanitize())
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnsuitable, problem)
}

// losesStatements reports whether a pooler gives each transaction any connection
// to the server without preparing the statements there that a client has prepared.
// Which connection a transaction gets is up to the pooler. So one client tries its
// statement again, and another prepares one by the same name, as our pools do:
// one of the two fails as soon as connections are shared.
func losesStatements(ctx context.Context, first *pgx.Conn) (bool, error) {
	second, err := connect(ctx, first.Config())
	if err != nil {
		return false, err
	}
	defer closeConn(ctx, second)
	name := "eventbooking_" + rand.Text() // a server connection may keep it
	for _, conn := range []*pgx.Conn{first, second} {
		_, err := conn.PgConn().Prepare(ctx, name, "SELECT 1", nil)
		for try := 0; try < 3 && err == nil; try++ {
			err = conn.PgConn().ExecPrepared(ctx, name, nil, nil, nil).Read().Err
		}
		switch sqlState(err) {
		case "":
			if err != nil {
				return false, Translate(err)
			}
		case noSuchStatement, duplicateStatement, protocolViolation: // the last one: of poolers that refuse all of them
			return true, nil
		default:
			return false, Translate(err)
		}
	}
	return false, nil
}
