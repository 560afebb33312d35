//go:build unix

package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// issued are the PEM of a new certificate, issued by itself, and of its key.
func issued(t *testing.T, name string, validFor time.Duration) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(validFor), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// tlsFiles are the files of a certificate, and a server that follows them.
type tlsFiles struct {
	t         *testing.T
	cert, key string
	reload    chan os.Signal
	log       *logged
	address   string
}

func (f *tlsFiles) write(cert, key []byte) {
	f.t.Helper()
	for path, content := range map[string][]byte{f.cert: cert, f.key: key} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// served is the name in the certificate that the server shows, with the length of its chain.
func (f *tlsFiles) served() (name string, chain int) {
	f.t.Helper()
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", f.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	shown := connection.ConnectionState().PeerCertificates
	return shown[0].Subject.CommonName, len(shown)
}

func newTLSFiles(t *testing.T, cert, key []byte) *tlsFiles {
	t.Helper()
	dir := t.TempDir()
	f := &tlsFiles{t: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), reload: make(chan os.Signal), log: &logged{}}
	f.write(cert, key)
	log := slog.New(slog.NewTextHandler(f.log, nil))
	certificate, err := server.LoadCertificate(f.cert, f.key, log)
	if err != nil {
		t.Fatal(err)
	}
	go certificate.Watch(t.Context(), f.reload)
	app, address := startServing(t, server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: log, TLS: certificate.Config()})
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	f.address = address.String()
	return f
}

func TestACertificateThatChangesIsReadAgain(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for looks at files")
	t.Parallel()
	oldCert, oldKey := issued(t, "old", time.Hour)
	newCert, newKey := issued(t, "new", time.Hour)
	f := newTLSFiles(t, oldCert, oldKey)
	if name, _ := f.served(); name != "old" {
		t.Fatalf("%s is served", name)
	}
	f.write(newCert, nil) // half of it
	eventually(t, "half a change is refused", func() bool { return strings.Contains(f.log.String(), "does not match") })
	if name, _ := f.served(); name != "old" {
		t.Errorf("after half a change %s is served", name)
	}
	f.write(nil, newKey)
	eventually(t, "the new one is served", func() bool { name, _ := f.served(); return name == "new" })
	if n := strings.Count(f.log.String(), "stays as it is"); n != 1 {
		t.Errorf("the refusal is logged %d times:\n%s", n, f.log)
	}
}

// A signal says that the files are complete. What cannot be used changes nothing.
func TestACertificateIsReadAgainAtOnceOnASignal(t *testing.T) {
	t.Parallel()
	oldCert, oldKey := issued(t, "old", time.Hour)
	newCert, newKey := issued(t, "new", time.Hour)
	expiredCert, expiredKey := issued(t, "expired", -time.Hour)
	f := newTLSFiles(t, oldCert, oldKey)
	chain := append(bytes.Clone(newCert), oldCert...)
	for says, c := range map[string][2][]byte{
		"failed to find any PEM": {{}, newKey}, "cut off": {chain[:len(chain)-40], newKey}, "does not match": {newCert, oldKey},
		"expired at": {expiredCert, expiredKey}, "not in PEM": {newCert, newKey[:len(newKey)/2]}, "more than": {bytes.Repeat([]byte("x"), 2<<20), newKey},
	} {
		f.write(c[0], c[1])
		f.reload <- os.Interrupt
		f.reload <- os.Interrupt // it has been looked at once more than is waited for
		if name, _ := f.served(); name != "old" || !strings.Contains(f.log.String(), says) {
			t.Errorf("%s is served, want a refusal with %q:\n%s", name, says, f.log)
		}
	}
	if err := os.Remove(f.key); err != nil {
		t.Fatal(err)
	}
	f.reload <- os.Interrupt
	f.write(chain, newKey)
	f.reload <- os.Interrupt
	f.reload <- os.Interrupt
	if name, length := f.served(); name != "new" || length != 2 {
		t.Errorf("%s is served with %d certificates:\n%s", name, length, f.log)
	}
}

func TestOnlyModernTLSIsSpoken(t *testing.T) {
	t.Parallel()
	cert, key := issued(t, "here", time.Hour)
	f := newTLSFiles(t, cert, key)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		connection, err := tls.Dial("tcp", f.address, &tls.Config{
			MinVersion: version, MaxVersion: version, RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2", "http/1.1"}})
		if (err == nil) != spoken {
			t.Errorf("version %x: %v", version, err)
		}
		if err == nil {
			if got := connection.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
				t.Errorf("version %x: the protocol is %q", version, got)
			}
			_ = connection.Close()
		}
	}
}
