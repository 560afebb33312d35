package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// startDependent starts a server that ends when this process does: the kernel
// signals it, even if this process is killed.
func startDependent(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	return func() {}, cmd.Start()
}

// isPostmaster reports whether a process is the server of a data directory, by
// its working directory. A zombie has none, and another process that got the same
// id has another.
func isPostmaster(pid int, data string) bool {
	workingDir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && workingDir == data
}
