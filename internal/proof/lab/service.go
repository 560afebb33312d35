//go:build unix

package lab

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Service is a process of the service, or of another program that is started and
// asked whether it is ready in the same way.
type Service struct {
	lab     *Lab
	name    string
	command []string
	addr    string
	env     map[string]string
	process *process
}

// serviceReady bounds a start, with its migrations.
const serviceReady = 60 * time.Second

// Service starts a process of a binary on a database and waits until it is
// ready. More settings are environment variables.
func (l *Lab) Service(ctx context.Context, name, binary, databaseURL string, env map[string]string) (*Service, error) {
	// Few users make many requests here.
	settings := map[string]string{"DATABASE_URL": databaseURL, "RATE_LIMITS": "off", "MAX_REQUESTS_PER_CALLER": "0",
		"LOGIN_DELAYS": "false", "QUOTAS": "off"}
	maps.Copy(settings, env)
	return l.Run(ctx, name, settings, binary, "serve")
}

// Run starts a program that serves HTTP at the address in ADDR, and waits until its
// /readyz says that it is ready.
func (l *Lab) Run(ctx context.Context, name string, env map[string]string, command ...string) (*Service, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	s := &Service{lab: l, name: name, command: command, addr: addr}
	s.env = map[string]string{"ADDR": s.addr, "PATH": os.Getenv("PATH")}
	maps.Copy(s.env, env)
	l.onClose(func() { _ = s.Stop() })
	return s, s.Start(ctx)
}

// Addr is host and port of the service.
func (s *Service) Addr() string { return s.addr }

// PID is the process's id. The process must have been started.
func (s *Service) PID() int { return s.process.cmd.Process.Pid }

// URL is where the service is.
func (s *Service) URL() string { return "http://" + s.addr }

// Log is the path of the service's log, over all its starts.
func (s *Service) Log() string { return filepath.Join(s.lab.dir, s.name+".log") }

// Start runs the process and waits until it is ready.
func (s *Service) Start(ctx context.Context) error {
	if err := s.Launch(); err != nil {
		return err
	}
	return s.AwaitReady(ctx, serviceReady)
}

// Launch runs the process and does not wait.
func (s *Service) Launch() (err error) {
	cmd := exec.Command(s.command[0], s.command[1:]...)
	// A process that gives up root loses the tie to this one, by which it ends with it.
	cmd.Env = []string{"RUN_AS=root"}
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	s.process, err = launch(cmd, s.Log())
	return err
}

// AwaitReady waits until the service says that it is ready.
func (s *Service) AwaitReady(ctx context.Context, within time.Duration) error {
	return Await(ctx, within, func(ctx context.Context) error {
		if !s.process.running() {
			return fmt.Errorf("%s has ended; see %s", s.name, s.Log())
		}
		return Ready(ctx, http.DefaultClient, s.URL())
	})
}

// Ready asks the service at a URL once whether it is ready.
func Ready(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", response.Status)
	}
	return nil
}

// Kill ends the process with SIGKILL.
func (s *Service) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the process in order.
func (s *Service) Stop() error { return s.end(syscall.SIGTERM) }

func (s *Service) end(signal syscall.Signal) error {
	if s.process == nil || !s.process.running() {
		return nil
	}
	return s.process.signal(signal)
}

// Doctor lets the service examine its own promises, and returns what it found;
// warnings, which are about what is late, are left out.
func (s *Service) Doctor(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, s.command[0], "doctor")
	cmd.Env = []string{"DATABASE_URL=" + s.env["DATABASE_URL"], "PATH=" + os.Getenv("PATH")}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var found []string
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if line != "ok: no violations" && line != "" && !strings.HasPrefix(line, "warning: ") {
			found = append(found, line)
		}
	}
	if err != nil && len(found) == 0 {
		return nil, fmt.Errorf("doctor: %w\n%s", err, log.String())
	}
	return found, nil
}
