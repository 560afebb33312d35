//go:build unix

package lab

import (
	"os/exec"
	"path/filepath"
	"syscall"
)

// Program runs a program that is not the service's until it is ended, or the lab
// closes. Its output goes to a log of its name.
func (l *Lab) Program(name string, cmd *exec.Cmd) (end func() error, err error) {
	p, err := launch(cmd, filepath.Join(l.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	end = func() error {
		if !p.running() {
			return nil
		}
		return p.signal(syscall.SIGTERM)
	}
	l.onClose(func() { _ = end() })
	return end, nil
}
