//go:build unix

package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"

	"eventbooking/internal/proof/lab"
)

// toxiproxy is the network between the service and its database: a process that
// passes everything on, and applies faults when it is told to.
type toxiproxy struct {
	api    string
	http   *http.Client
	end    func() error
	listen string
}

const (
	proxyPath = "/proxies/postgres"
	toxicPath = proxyPath + "/toxics"
	// apiTimeout bounds what is asked of the proxy, proxyReady its start.
	apiTimeout = 10 * time.Second
	proxyReady = 10 * time.Second
)

// startToxiproxy runs a proxy before an address.
func startToxiproxy(ctx context.Context, l *lab.Lab, upstream string) (*toxiproxy, error) {
	binary, err := buildToxiproxy(ctx, l)
	if err != nil {
		return nil, err
	}
	addr, err := lab.FreeAddr()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-host", host, "-port", port)
	cmd.Env = []string{"LOG_LEVEL=error"}
	t := &toxiproxy{api: "http://" + addr, http: &http.Client{Timeout: apiTimeout}}
	if t.end, err = l.Program("toxiproxy", cmd); err != nil {
		return nil, err
	}
	var proxy struct {
		Listen string `json:"listen"`
	}
	err = lab.Await(ctx, proxyReady, func(ctx context.Context) error {
		return t.ask(ctx, http.MethodPost, "/proxies",
			map[string]any{"name": "postgres", "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true}, &proxy)
	})
	t.listen = proxy.Listen
	return t, err
}

// buildToxiproxy compiles the tool of the module beside ours.
func buildToxiproxy(ctx context.Context, l *lab.Lab) (string, error) {
	root, err := lab.Root(ctx)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(l.Dir(), "toxiproxy")
	cmd := exec.CommandContext(ctx, "go", "build", "-modfile=internal/tools/toxiproxy/go.mod", "-o", binary,
		"github.com/Shopify/toxiproxy/v2/cmd/server")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build toxiproxy: %w\n%s", err, out)
	}
	return binary, nil
}

// addToxic applies a fault.
func (t *toxiproxy) addToxic(ctx context.Context, bad toxic, way direction) error {
	if bad.attributes == nil {
		return t.ask(ctx, http.MethodPost, proxyPath, map[string]any{"enabled": false}, nil)
	}
	return t.ask(ctx, http.MethodPost, toxicPath, map[string]any{
		"name": bad.name, "type": bad.name, "stream": way, "toxicity": 1, "attributes": bad.attributes}, nil)
}

// removeToxics removes all faults.
func (t *toxiproxy) removeToxics(ctx context.Context) error {
	return t.ask(ctx, http.MethodPost, "/reset", nil, nil)
}

func (t *toxiproxy) ask(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, t.api+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := t.http.Do(r)
	if err != nil {
		return fmt.Errorf("toxiproxy: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("toxiproxy: %w", err)
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("toxiproxy: %s %s: %s %s", method, path, response.Status, said)
	case into == nil:
		return nil
	}
	return json.Unmarshal(said, into)
}

// close ends the process.
func (t *toxiproxy) close() error {
	t.http.CloseIdleConnections()
	return t.end()
}
