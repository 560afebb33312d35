//go:build unix

package embedded_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/testkit"
)

const (
	makeNotes  = "CREATE TABLE notes (text text)"
	writeNote  = "INSERT INTO notes VALUES ('kept')"
	countNotes = "SELECT count(*) FROM notes"
)

func TestDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := testkit.ServerDir(t)
	first := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(first.URL(), makeNotes))
	must(t, testkit.ExecOn(first.URL(), writeNote))
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "listen_addresses": "", "server_encoding": "UTF8"} {
		if got := testkit.QueryOn[string](t, first.URL(), "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := testkit.QueryOn[string](t, first.URL(), "SELECT lower('ÄÉЖ')"); got != "äéж" {
		t.Errorf("lower() of letters beyond ASCII is %q", got)
	}
	testkit.StopEmbedded(t, first)
	if err := testkit.ExecOn(first.URL(), "SELECT"); err == nil {
		t.Fatal("the server answers after Stop")
	}
	if got := testkit.QueryOn[int](t, testkit.Embedded(t, dir).URL(), countNotes); got != 1 {
		t.Errorf("%d notes after a restart, want 1", got)
	}
}

func TestPathMayBeTooLongForASocket(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a server")
	t.Parallel()
	dir := filepath.Join(testkit.ServerDir(t), strings.Repeat("long/", 30))
	e := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(e.URL(), "SELECT"))
	at, err := url.Parse(e.URL())
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(at.Query().Get("host")) })
}

func TestRunsAsAnOrdinaryUser(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("not root: the other tests run as an ordinary user already")
	}
	nobody, err := user.Lookup("nobody")
	must(t, err)
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	dir := testkit.ServerDir(t)
	must(t, os.Chown(dir, uid, gid))
	other := testkit.StartJob(t, serve, dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	url := other.Wait()
	must(t, testkit.ExecOn(url, makeNotes))
	other.Kill()
	testkit.Await(t, "the server ends with its killed owner", func() error {
		if testkit.ExecOn(url, "SELECT") == nil {
			return errors.New("the server answers")
		}
		return nil
	})
}

func TestServerEndsWithItsKilledOwnerAndRecovers(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	other := testkit.StartJob(t, serve, dir, nil)
	url := other.Wait()
	must(t, testkit.ExecOn(url, makeNotes))
	must(t, testkit.ExecOn(url, writeNote))
	pid := postmasterPID(t, dir)
	other.Kill()
	testkit.Await(t, "the server ends with its killed owner", func() error { return checkGone(pid) })
	if got := testkit.QueryOn[int](t, testkit.Embedded(t, dir).URL(), countNotes); got != 1 {
		t.Errorf("%d notes after the kill, want 1", got)
	}
}

func TestGuestTakesOverFromAKilledOwner(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	owner := testkit.StartJob(t, serve, dir, nil)
	must(t, testkit.ExecOn(owner.Wait(), makeNotes))
	guest := testkit.Embedded(t, dir)
	pool, err := postgres.Open(t.Context(), guest.URL(), postgres.PoolOptions{MaxConns: 2})
	must(t, err)
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), writeNote); err != nil {
		t.Fatal(err)
	}
	old := postmasterPID(t, dir)
	owner.Kill()
	testkit.Await(t, "the guest's pool works again", func() error {
		if now := postmasterPID(t, dir); now == old || now == 0 {
			return errors.New("no new server")
		}
		_, err := pool.Exec(t.Context(), "INSERT INTO notes VALUES ('after')")
		return err
	})
	if got := testkit.QueryOn[int](t, guest.URL(), "SELECT count(*) FROM notes WHERE text = 'kept'"); got != 1 {
		t.Errorf("%d notes from before, want 1", got)
	}
}

// Stopping a guest does not touch the server; stopping the owner passes it on.
func TestStopPassesTheServerToAGuest(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and stops servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	owner, leaver, successor := testkit.Embedded(t, dir), testkit.Embedded(t, dir), testkit.Embedded(t, dir)
	began := testkit.QueryOn[string](t, owner.URL(), "SELECT pg_postmaster_start_time()::text")
	testkit.StopEmbedded(t, leaver)
	if now := testkit.QueryOn[string](t, owner.URL(), "SELECT pg_postmaster_start_time()::text"); now != began {
		t.Error("stopping a guest restarted the server")
	}
	testkit.StopEmbedded(t, owner)
	testkit.Await(t, "the last guest runs the server", func() error { return testkit.ExecOn(successor.URL(), "SELECT") })
}

func TestOwnerRestartsAKilledServer(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	e := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(e.URL(), makeNotes))
	pid := postmasterPID(t, dir)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	testkit.Await(t, "the server is back", func() error {
		if postmasterPID(t, dir) == pid {
			return errors.New("still the old server")
		}
		return testkit.ExecOn(e.URL(), countNotes)
	})
}

// A server may outlive its killed owner where there is no death signal. It is
// ended before a new one starts.
func TestStartEndsAnOrphan(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	first := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(first.URL(), makeNotes))
	testkit.StopEmbedded(t, first)
	data := dataIn(t, dir)
	programs, err := embedded.FindPrograms(t.Context(), dir, embedded.Options{Logger: quiet})
	must(t, err)
	orphan := programs.Command(t.Context(), dir, "postgres", "-D", data, "-k", filepath.Join(dir, "run"), "-c", "listen_addresses=")
	must(t, orphan.Start())
	testkit.Await(t, "the orphan answers", func() error { return testkit.ExecOn(first.URL(), writeNote) })
	e := testkit.Embedded(t, dir)
	_ = orphan.Wait()
	if got := testkit.QueryOn[int](t, e.URL(), countNotes); got != 1 {
		t.Errorf("%d notes, want the orphan's", got)
	}
}

// After a reboot, or in a restarted container, another process may have the
// process id that a killed server left in its lock files.
func TestStartIgnoresAReusedProcessID(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and kills servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	first := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(first.URL(), makeNotes))
	pidFile := filepath.Join(dataIn(t, dir), "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	must(t, err)
	info, err := os.Stat(pidFile)
	must(t, err)
	testkit.StopEmbedded(t, first)

	owner := info.Sys().(*syscall.Stat_t)
	other := exec.Command("sleep", "60")
	if os.Geteuid() == 0 {
		other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	must(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	_, rest, _ := strings.Cut(string(content), "\n")
	must(t, os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", other.Process.Pid, rest), 0o600))
	must(t, os.Chown(pidFile, int(owner.Uid), int(owner.Gid)))

	must(t, testkit.ExecOn(testkit.Embedded(t, dir).URL(), countNotes))
	if err := checkGone(other.Process.Pid); err == nil {
		t.Error("the other process was ended")
	}
}

func TestStartIgnoresAnUnfinishedInitdb(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and stops servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	e := testkit.Embedded(t, dir)
	testkit.StopEmbedded(t, e)
	data := dataIn(t, dir)
	must(t, os.Rename(data, data+".unfinished"))
	must(t, os.Remove(filepath.Join(data+".unfinished", "global", "pg_control")))
	must(t, testkit.ExecOn(testkit.Embedded(t, dir).URL(), "SELECT"))
}

func TestFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := embedded.Start(t.Context(), embedded.Options{
		DataDir: testkit.ServerDir(t), Logger: quiet, Settings: map[string]string{"max_connections": "many"},
	})
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("the error does not name the setting: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	closed := t.TempDir()
	must(t, os.Chmod(closed, 0o700))
	_, err = embedded.Start(t.Context(), embedded.Options{DataDir: filepath.Join(closed, "data"), Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "DATA_DIR") {
		t.Errorf("the error does not name DATA_DIR: %v", err)
	}
}

// dataIn is the data directory of the only version in dir.
func dataIn(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "postgres-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("data directories: %v, %v", found, err)
	}
	return found[0]
}

func postmasterPID(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dataIn(t, dir), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// checkGone returns nil if a process does not exist or is a zombie.
func checkGone(pid int) error {
	status, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	if err == nil && !strings.HasPrefix(strings.TrimSpace(string(status)), "Z") {
		return fmt.Errorf("process %d runs: %s", pid, status)
	}
	return nil
}
