package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// lookInterval is how often the files of a certificate are looked at. What has changed
	// is used when two looks in a row have found the same.
	lookInterval = 2 * time.Second
	// maxPEM bounds each of the files, in bytes; they have a few thousand.
	maxPEM = 1 << 20
)

// Certificate is the certificate of the service, from two files. It follows their changes:
// whole, or not at all.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	// seen is what the last look found, used what current is made of, and refused what
	// was said to be unusable.
	seen, used, refused digest
}

// digest stands for the content of both files, or for the error of reading them.
type digest [sha256.Size]byte

// LoadCertificate reads a certificate with its chain, and its key, both in PEM.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	certificate, found, err := c.read()
	if err != nil {
		return nil, err
	}
	c.seen, c.used = found, found
	c.current.Store(certificate)
	return c, nil
}

// Config is the configuration of TLS with this certificate. It offers HTTP/1.1 only, for
// which the limits of connections, bodies and times are made and tested.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// Watch follows the files until ctx ends. What arrives on reload says that they are
// complete now.
func (c *Certificate) Watch(ctx context.Context, reload <-chan os.Signal) {
	looks := time.NewTicker(lookInterval)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-reload:
			c.look(true)
		case <-looks.C:
			c.look(false)
		}
	}
}

// look reads the files, and uses what is new in them. Unless they are known to be
// complete, they may be half written, so that a second look has to find the same.
func (c *Certificate) look(complete bool) {
	certificate, found, err := c.read()
	settled := found == c.seen
	c.seen = found
	if !complete && (!settled || found == c.used || found == c.refused) {
		return
	}
	if err != nil {
		c.refused = found
		c.log.Warn("the certificate of TLS stays as it is, because the files cannot be used", "error", err)
		return
	}
	c.used = found
	c.current.Store(certificate)
	c.log.Info("the certificate of TLS was read again", "valid_until", certificate.Leaf.NotAfter)
}

// read reads both files. The digest tells of an error, too, of which there is no need to
// hear twice.
func (c *Certificate) read() (*tls.Certificate, digest, error) {
	cert, err := readPEM(c.certFile)
	if err != nil {
		return nil, sha256.Sum256([]byte(err.Error())), err
	}
	key, err := readPEM(c.keyFile)
	if err != nil {
		return nil, sha256.Sum256([]byte(err.Error())), err
	}
	found := sha256.Sum256(fmt.Appendf(nil, "%d\n%s%s", len(cert), cert, key))
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err != nil:
		return nil, found, fmt.Errorf("%s with %s: %w", c.certFile, c.keyFile, err)
	case time.Now().After(pair.Leaf.NotAfter):
		return nil, found, fmt.Errorf("%s: the certificate expired at %s", c.certFile, pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	return &pair, found, nil
}

// readPEM reads a file of PEM that does not end within a block.
func readPEM(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxPEM+1))
	if err == nil && len(content) > maxPEM {
		err = fmt.Errorf("more than %d bytes", maxPEM)
	}
	rest := content
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(rest) {
		rest = after
	}
	if err == nil && bytes.Contains(rest, []byte("-----BEGIN")) {
		err = errors.New("it is cut off, or not in PEM")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}
