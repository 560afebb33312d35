//go:build unix && !linux

package embedded

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// startDependent starts a server that ends when this process does. Without a
// death signal, a shell waits on a pipe whose other end only this process holds:
// when the process is gone the pipe closes, and the shell ends the server.
func startDependent(cmd *exec.Cmd) (release func(), err error) {
	watched, held, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = watched.Close() }()
	if err := cmd.Start(); err != nil {
		_ = held.Close()
		return nil, err
	}
	watcher := exec.Command("/bin/sh", "-c", `read -r _; kill -INT "$1"`, "sh", strconv.Itoa(cmd.Process.Pid))
	watcher.Stdin = watched
	watcher.SysProcAttr = cmd.SysProcAttr
	if err := watcher.Start(); err != nil {
		_ = held.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return func() {
		// Before the pipe closes: another process may have the server's id by now.
		_ = watcher.Process.Kill()
		_ = watcher.Wait()
		_ = held.Close()
	}, nil
}

// isPostmaster reports whether a process is the server of a data directory, by
// the command line that launch gave it.
func isPostmaster(pid int, data string) bool {
	if pid <= 0 {
		return false
	}
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D "+data+" ")
}
