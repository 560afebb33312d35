//go:build unix

package testkit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Job is another process of the test binary, for tests that kill a process or
// run it as another user. See RunJobs and StartJob.
type Job struct {
	t      testing.TB
	cmd    *exec.Cmd
	answer *bufio.Reader
}

// JobFunc is what a job does. Its result is what Job.Wait returns; afterwards the
// process stays until it is killed or the test ends.
type JobFunc func(ctx context.Context, arg string) (string, error)

// jobVariable holds the name of a job and its argument.
const jobVariable = "EVENTBOOKING_TEST_JOB"

// RunJobs does the job that StartJob started this process for, and returns at
// once if there is none. TestMain calls it before m.Run.
func RunJobs(jobs map[string]JobFunc) {
	name, arg, started := strings.Cut(os.Getenv(jobVariable), "|")
	if !started {
		return
	}
	job := jobs[name]
	if job == nil {
		fmt.Fprintf(os.Stderr, "testkit: no job %q\n", name)
		os.Exit(1)
	}
	answer, err := job(context.Background(), arg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends or kills us
	os.Exit(0)
}

// StartJob starts this test binary again to do a job, as another user if as is
// not nil. It is killed with the test.
func StartJob(t testing.TB, name, arg string, as *syscall.Credential) *Job {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	if as != nil {
		self = copyForEverybody(t, self)
	}
	cmd := exec.Command(self)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), jobVariable+"="+name+"|"+arg)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	_, err = cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	j := &Job{t: t, cmd: cmd, answer: bufio.NewReader(out)}
	t.Cleanup(j.Kill)
	return j
}

// Wait waits for the job's result. It fails the test if the job failed.
func (j *Job) Wait() string {
	j.t.Helper()
	line, err := j.answer.ReadString('\n')
	if err != nil {
		j.t.Fatalf("the other process failed: %v", err)
	}
	return strings.TrimSpace(line)
}

// Kill ends the process with SIGKILL, and returns when it is gone.
func (j *Job) Kill() {
	_ = j.cmd.Process.Kill()
	_ = j.cmd.Wait()
}

// copyForEverybody copies the test binary to where any user can run it.
func copyForEverybody(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	to := filepath.Join(ServerDir(t), "job.test")
	must(t, os.WriteFile(to, content, 0o755))
	return to
}
