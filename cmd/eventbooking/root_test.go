//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"eventbooking/internal/testkit"
)

// serving is a job: it serves with the arguments, and answers with where.
const serving = "serving"

func TestMain(m *testing.M) {
	testkit.RunJobs(map[string]testkit.JobFunc{serving: func(ctx context.Context, args string) (string, error) {
		if err := os.Unsetenv("RUN_AS"); err != nil {
			return "", err
		}
		var out output
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, strings.Fields(args), strings.NewReader(""), &out, &out) }()
		for {
			if _, after, found := strings.Cut(out.String(), "Serving on   "); found && strings.Contains(after, "\n") {
				base, _, _ := strings.Cut(after, "\n")
				return fmt.Sprintf("%d %s", os.Getpid(), base), nil
			}
			select {
			case <-ended:
				return "", errors.New(out.String())
			default:
			}
		}
	}})
	// The commands of the tests run in this process, which has to stay root for the others.
	if err := os.Setenv("RUN_AS", "root"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// ids are the real, effective, saved and file system ids of a process, and its groups.
func ids(t *testing.T, pid string) (all []string, groups string) {
	t.Helper()
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name {
		case "Uid", "Gid":
			all = append(all, strings.Fields(value)...)
		case "Groups":
			groups = strings.TrimSpace(value)
		}
	}
	return all, groups
}

func skipUnlessRoot(t *testing.T) {
	t.Helper()
	testkit.SkipIfShort(t, "it starts services")
	if _, err := os.Stat("/proc/self/status"); err != nil || os.Geteuid() != 0 {
		t.Skip("only root can give itself up, and only Linux shows that here")
	}
}

// All threads of the process have other ids, and it still restarts its own PostgreSQL.
func TestRootIsGivenUp(t *testing.T) {
	skipUnlessRoot(t)
	t.Parallel()
	dir := testkit.ServerDir(t)
	pid, base, _ := strings.Cut(testkit.StartJob(t, serving, "serve --addr=127.0.0.1:0 --data-dir="+dir, nil).Wait(), " ")
	waitFor(t, "it is ready", func() bool { return isReady(base) })
	threads, err := os.ReadDir("/proc/" + pid + "/task")
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		all, groups := ids(t, pid+"/task/"+thread.Name())
		for _, id := range all {
			if id == "0" {
				t.Errorf("thread %s has the ids %v", thread.Name(), all)
			}
		}
		if strings.Contains(" "+groups+" ", " 0 ") {
			t.Errorf("thread %s has the groups %s", thread.Name(), groups)
		}
	}
	server := childOf(t, pid)
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the database runs again", func() bool { return childOf(t, pid) != server && childOf(t, pid) != 0 && isReady(base) })
}

// childOf is the only child of a process, or 0.
func childOf(t *testing.T, pid string) int {
	t.Helper()
	out, _ := osexec.Command("pgrep", "-P", pid).Output() // it fails if there is none
	child, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	return child
}

func TestRootIsGivenUpForTheUserOfTheSettings(t *testing.T) {
	skipUnlessRoot(t)
	testkit.SkipIfPooled(t, "another user may not reach the pooler's socket")
	t.Parallel()
	cluster := "--database-url=" + loopbackURL(t)
	for flags, want := range map[string]string{"": "65534", "--run-as=nobody": "65534", "--run-as=12345:54321": "12345", "--run-as=root": "0", "--run-as=0": "0"} {
		pid, base, _ := strings.Cut(testkit.StartJob(t, serving, "serve --addr=127.0.0.1:0 "+cluster+" "+flags, nil).Wait(), " ")
		waitFor(t, "it is ready", func() bool { return isReady(base) })
		if all, _ := ids(t, pid); all[0] != want || all[1] != want || all[2] != want || (all[4] == "0") != (want == "0") {
			t.Errorf("%s: ids %v, want %s", flags, all, want)
		}
	}
}

// loopbackURL is the address of a migrated database that every user of the machine
// reaches: that of the tests has a socket in a closed directory.
func loopbackURL(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(testkit.DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(address.Query().Get("host"), ".s.PGSQL."+address.Query().Get("port"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", socket)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	address.Host, address.RawQuery = listener.Addr().String(), "sslmode=disable"
	return address.String()
}

func TestRunAsIsChecked(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may become somebody else")
	}
	for value, says := range map[string]string{"nobody_by_this_name": "there is no user", "1000:x": "not uid:gid", "-1:0": "not uid:gid"} {
		t.Setenv("RUN_AS", value)
		code, _, stderr := program(t, "serve", "--addr=127.0.0.1:0", "--database-url=postgres://me@127.0.0.1:1/x")
		if code != exitUsage || !strings.Contains(stderr, "RUN_AS: ") || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d: %s", value, code, stderr)
		}
	}
	t.Setenv("RUN_AS", "12345:12345")
	code, _, stderr := program(t, "serve", "--addr=127.0.0.1:0", "--data-dir="+testkit.ServerDir(t), "--database-url=")
	if code != exitUsage || !strings.Contains(stderr, "leave it out") {
		t.Errorf("another user than PostgreSQL's: exit code %d: %s", code, stderr)
	}
	if response, err := http.Get("http://127.0.0.1:1"); err == nil {
		_ = response.Body.Close()
		t.Error("something listens")
	}
}
