package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// startTied starts a server that goes when we go: the kernel tells it, even if
// we are killed without a chance to say anything.
func startTied(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	return func() {}, cmd.Start()
}

// servesFrom tells whether a process is the server of a data directory: a
// postmaster works in it. A zombie, and whoever has the id by chance, does not.
func servesFrom(pid int, data string) bool {
	at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && at == data
}
