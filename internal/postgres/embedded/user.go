//go:build unix

package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// User is the user to run PostgreSQL as: nil is the current one. PostgreSQL refuses to run
// as root, so for root it is the user postgres or nobody.
func User() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
}

// credential is what it takes to start a program as the server's user: nil if this process
// is that user already, as after it has given up root.
func (p Programs) credential() *syscall.Credential {
	if p.runAs != nil && uint32(os.Geteuid()) == p.runAs.Uid {
		return nil
	}
	return p.runAs
}

// uid is the id of the server's user.
func (p Programs) uid() uint32 {
	if p.runAs == nil {
		return uint32(os.Geteuid())
	}
	return p.runAs.Uid
}

// checkAccess returns an error if the server's user cannot enter dir. PostgreSQL
// would only say "permission denied" later, about one of its own files.
func checkAccess(dir string, as *syscall.Credential) error {
	if as == nil {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		open := mode&0o001 != 0 || owner.Uid == as.Uid && mode&0o100 != 0 || owner.Gid == as.Gid && mode&0o010 != 0
		if !open {
			return fmt.Errorf("PostgreSQL runs as user %d, who may not enter %s: choose another DATA_DIR", as.Uid, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
