//go:build unix && !linux

package embedded

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// startTied starts a server that goes when we go. There is no death signal
// here, so a shell waits on a pipe whose other end only we hold: when it closes
// because we are gone, the shell ends the server.
func startTied(cmd *exec.Cmd) (release func(), err error) {
	ours, theirs, err := pipeEnds()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, err
	}
	watch := exec.Command("/bin/sh", "-c", `read -r _; kill -INT "$1"`, "sh", strconv.Itoa(cmd.Process.Pid))
	watch.Stdin = theirs
	watch.SysProcAttr = cmd.SysProcAttr
	if err := watch.Start(); err != nil {
		_ = ours.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return func() {
		// Before the pipe closes: the server's id may be another's by now.
		_ = watch.Process.Kill()
		_ = watch.Wait()
		_ = ours.Close()
	}, nil
}

func pipeEnds() (ours, theirs *os.File, err error) {
	theirs, ours, err = os.Pipe()
	return ours, theirs, err
}

// servesFrom tells whether a process is the server of a data directory, by the
// command line that launch gave it.
func servesFrom(pid int, data string) bool {
	if pid <= 0 {
		return false
	}
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D "+data+" ")
}
