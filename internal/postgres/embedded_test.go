//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
)

// embed starts or joins a server in this process, until the test ends.
func embed(t *testing.T, dir string) *postgres.Embedded {
	t.Helper()
	e, err := postgres.StartEmbedded(t.Context(), postgres.EmbeddedOptions{DataDir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e) })
	return e
}

func stop(t *testing.T, e *postgres.Embedded) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Error(err)
	}
}

const (
	makeNotes  = "CREATE TABLE notes (text text)"
	writeNote  = "INSERT INTO notes VALUES ('kept')"
	countNotes = "SELECT count(*) FROM notes"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEmbeddedKeepsItsData(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := embed(t, dir)
	must(t, exec1(first.URL(), makeNotes))
	must(t, exec1(first.URL(), writeNote))
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "listen_addresses": "", "server_encoding": "UTF8"} {
		if got := query1[string](t, first.URL(), "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := query1[string](t, first.URL(), "SELECT lower('ÄÉЖ')"); got != "äéж" {
		t.Errorf("letters beyond ASCII have no case here: %q", got)
	}
	stop(t, first)
	if err := exec1(first.URL(), "SELECT"); err == nil {
		t.Fatal("the server answers after Stop")
	}
	if got := query1[int](t, embed(t, dir).URL(), countNotes); got != 1 {
		t.Errorf("%d notes after a restart, want 1", got)
	}
}

// A directory whose path is too long for a socket.
func TestEmbeddedFarDown(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), strings.Repeat("long/", 30))
	e := embed(t, dir)
	must(t, exec1(e.URL(), "SELECT"))
	at, err := url.Parse(e.URL())
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(at.Query().Get("host")) })
}

func TestEmbeddedAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the other tests are that already")
	}
	nobody, err := user.Lookup("nobody")
	must(t, err)
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	dir := openDir(t)
	must(t, os.Chown(dir, uid, gid))
	other := start(t, "serve", dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	url := other.ready()
	must(t, exec1(url, makeNotes))
	other.kill()
	eventually(t, "the server ends with the killed process", func() error {
		if exec1(url, "SELECT") == nil {
			return errors.New("it answers")
		}
		return nil
	})
}

func TestEmbeddedEndsWithAKilledProcessAndRecovers(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	other := start(t, "serve", dir, nil)
	url := other.ready()
	must(t, exec1(url, makeNotes))
	must(t, exec1(url, writeNote))
	pid := postmaster(t, dir)
	other.kill()
	eventually(t, "the server ends with the killed process", func() error { return gone(pid) })
	if got := query1[int](t, embed(t, dir).URL(), countNotes); got != 1 {
		t.Errorf("%d notes after the kill, want 1", got)
	}
}

func TestEmbeddedSurvivorTakesOver(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	owner := start(t, "serve", dir, nil)
	must(t, exec1(owner.ready(), makeNotes))
	guest := embed(t, dir)
	pool, err := postgres.Open(t.Context(), guest.URL(), postgres.PoolOptions{MaxConns: 2})
	must(t, err)
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), writeNote); err != nil {
		t.Fatal(err)
	}
	old := postmaster(t, dir)
	owner.kill()
	eventually(t, "the guest's pool works again", func() error {
		if now := postmaster(t, dir); now == old || now == 0 {
			return errors.New("there is no new server")
		}
		_, err := pool.Exec(t.Context(), "INSERT INTO notes VALUES ('after')")
		return err
	})
	if got := query1[int](t, guest.URL(), "SELECT count(*) FROM notes WHERE text = 'kept'"); got != 1 {
		t.Errorf("%d notes from before, want 1", got)
	}
}

// A guest that leaves takes nothing with it; an owner that leaves in order hands over.
func TestEmbeddedOwnerAndGuestLeave(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	owner, leaver, heir := embed(t, dir), embed(t, dir), embed(t, dir)
	began := query1[string](t, owner.URL(), "SELECT pg_postmaster_start_time()::text")
	stop(t, leaver)
	if now := query1[string](t, owner.URL(), "SELECT pg_postmaster_start_time()::text"); now != began {
		t.Errorf("a guest's end restarted the server")
	}
	stop(t, owner)
	eventually(t, "the last one has the server", func() error { return exec1(heir.URL(), "SELECT") })
}

func TestEmbeddedRestartsAKilledServer(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	e := embed(t, dir)
	must(t, exec1(e.URL(), makeNotes))
	pid := postmaster(t, dir)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "the server is back", func() error {
		if postmaster(t, dir) == pid {
			return errors.New("it is still the old one")
		}
		return exec1(e.URL(), countNotes)
	})
}

// A server that went on after its owner was killed, as it may where there is no
// death signal, is ended before ours starts.
func TestEmbeddedEndsAnOrphan(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := embed(t, dir)
	must(t, exec1(first.URL(), makeNotes))
	stop(t, first)
	data := dataIn(t, dir)
	programs, err := postgres.FindPrograms(t.Context(), dir, postgres.EmbeddedOptions{Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	orphan := programs.Command(t.Context(), dir, "postgres", "-D", data, "-k", filepath.Join(dir, "run"), "-c", "listen_addresses=")
	must(t, orphan.Start())
	eventually(t, "the orphan answers", func() error { return exec1(first.URL(), writeNote) })
	e := embed(t, dir)
	_ = orphan.Wait()
	if got := query1[int](t, e.URL(), countNotes); got != 1 {
		t.Errorf("%d notes, want the orphan's", got)
	}
}

// After a reboot, or in a restarted container, the process id that a killed
// server left in its lock files may be anybody's.
func TestEmbeddedIgnoresAnothersProcessID(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := embed(t, dir)
	must(t, exec1(first.URL(), makeNotes))
	pidFile := filepath.Join(dataIn(t, dir), "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	must(t, err)
	info, err := os.Stat(pidFile)
	must(t, err)
	stop(t, first)

	owner := info.Sys().(*syscall.Stat_t)
	stranger := exec.Command("sleep", "60")
	if os.Geteuid() == 0 {
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	must(t, stranger.Start())
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	_, rest, _ := strings.Cut(string(content), "\n")
	must(t, os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", stranger.Process.Pid, rest), 0o600))
	must(t, os.Chown(pidFile, int(owner.Uid), int(owner.Gid)))

	must(t, exec1(embed(t, dir).URL(), countNotes))
	if err := gone(stranger.Process.Pid); err == nil {
		t.Error("the stranger was ended")
	}
}

// initdb killed half-way leaves nothing that is taken for data.
func TestEmbeddedUnfinishedInitdb(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	e := embed(t, dir)
	stop(t, e)
	data := dataIn(t, dir)
	must(t, os.Rename(data, data+".unfinished"))
	must(t, os.Remove(filepath.Join(data+".unfinished", "global", "pg_control")))
	must(t, exec1(embed(t, dir).URL(), "SELECT"))
}

func TestEmbeddedSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	_, err := postgres.StartEmbedded(t.Context(), postgres.EmbeddedOptions{
		DataDir: openDir(t), Logger: quiet, Settings: map[string]string{"max_connections": "many"},
	})
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("the error does not name the setting: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	closed := t.TempDir()
	must(t, os.Chmod(closed, 0o700))
	_, err = postgres.StartEmbedded(t.Context(), postgres.EmbeddedOptions{DataDir: filepath.Join(closed, "data"), Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "DATA_DIR") {
		t.Errorf("the error does not name DATA_DIR: %v", err)
	}
}

func dataIn(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "postgres-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("data directories: %v, %v", found, err)
	}
	return found[0]
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dataIn(t, dir), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// gone tells that a process is no more, or only a zombie.
func gone(pid int) error {
	status, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	if err == nil && !strings.HasPrefix(strings.TrimSpace(string(status)), "Z") {
		return fmt.Errorf("process %d is there: %s", pid, status)
	}
	return nil
}
