//go:build unix

package main

import (
	"fmt"
	"os"
	system "os/user"
	"strconv"
	"strings"
	"syscall"

	"eventbooking/internal/postgres/embedded"
)

// systemUser is a user of the operating system.
type systemUser struct {
	name     string
	uid, gid int
	groups   []int
}

// stayRoot is the value of RUN_AS that changes nothing, whoever started the process.
const stayRoot = "root"

// overflowID is the id of nobody where nobody has a name, as in an image with nothing in
// it but the program.
const overflowID = 65534

// user is whom the process becomes; nil means that it stays who it is.
func (p process) user(s *session) (*systemUser, error) {
	switch isRoot := os.Geteuid() == 0; {
	case p.RunAs == stayRoot || !isRoot && p.RunAs == "":
		return nil, nil
	case !isRoot:
		asked, err := parseUser(p.RunAs)
		if err == nil && asked.uid != os.Geteuid() {
			err = errUsage("RUN_AS: only root can run the service as another user: start it as root, or leave it out")
		}
		return nil, err
	case s.DatabaseURL == "":
		return p.userOfEmbedded()
	case p.RunAs == "":
		if nobody, err := parseUser("nobody"); err == nil {
			return nobody, nil
		}
		return &systemUser{name: "nobody", uid: overflowID, gid: overflowID}, nil
	}
	asked, err := parseUser(p.RunAs)
	if err == nil && asked.uid == 0 {
		return nil, nil
	}
	return asked, err
}

// userOfEmbedded is the user of our own PostgreSQL, whom nobody else may signal or start
// again.
func (p process) userOfEmbedded() (*systemUser, error) {
	credential, err := embedded.User()
	if err != nil {
		return nil, err
	}
	own, err := parseUser(strconv.Itoa(int(credential.Uid)))
	if err != nil || p.RunAs == "" {
		return own, err
	}
	asked, err := parseUser(p.RunAs)
	if err == nil && asked.uid != own.uid {
		err = errUsage("RUN_AS: without DATABASE_URL the service runs as its own PostgreSQL does, as user %d: leave it out, or set root to stay root", own.uid)
	}
	return own, err
}

// parseUser finds a user by a name or an id, or takes uid:gid as it is.
func parseUser(text string) (*systemUser, error) {
	if uid, gid, both := strings.Cut(text, ":"); both {
		u, errUID := strconv.ParseUint(uid, 10, 31)
		g, errGID := strconv.ParseUint(gid, 10, 31)
		if errUID != nil || errGID != nil {
			return nil, errUsage("RUN_AS: %q is not uid:gid, such as 1000:1000", text)
		}
		return &systemUser{name: text, uid: int(u), gid: int(g)}, nil
	}
	found, err := system.Lookup(text)
	if err != nil {
		found, err = system.LookupId(text)
	}
	if err != nil {
		return nil, errUsage("RUN_AS: there is no user %q: use a name, an id, or uid:gid", text)
	}
	u := &systemUser{name: found.Username}
	ids, err := found.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("RUN_AS: the groups of %s: %w", text, err)
	}
	for _, id := range append([]string{found.Uid, found.Gid}, ids...) {
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, fmt.Errorf("RUN_AS: the id of %s or of a group: %w", text, err)
		}
		u.groups = append(u.groups, n)
	}
	u.uid, u.gid, u.groups = u.groups[0], u.groups[1], u.groups[2:]
	return u, nil
}

// become makes the process go on as a user, for good. Where root may not do that, as in a
// container without the capability, it is an error only if it was asked for.
func (p process) become(s *session, u *systemUser) error {
	if u == nil {
		return nil
	}
	err := syscall.Setgroups(u.groups)
	if err == nil {
		err = syscall.Setgid(u.gid)
	}
	if err == nil {
		err = syscall.Setuid(u.uid)
	}
	switch {
	case err == nil:
		s.log.Info("going on as an ordinary user", "user", u.name)
	case p.RunAs == "":
		s.log.Warn("the process stays root, because it may not become another user", "user", u.name, "error", err)
		err = nil
	default:
		err = fmt.Errorf("RUN_AS: becoming %s: %w", u.name, err)
	}
	return err
}
