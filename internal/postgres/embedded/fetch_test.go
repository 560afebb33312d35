//go:build unix

package embedded

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// archived makes an archive of files, whose content is their name.
func archived(t *testing.T, files ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	compressed, err := xz.NewWriter(&out)
	must(t, err)
	to := tar.NewWriter(compressed)
	for _, header := range files {
		content := []byte(header.Name)
		header.Mode = 0o755
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(content))
		}
		must(t, to.WriteHeader(&header))
		if header.Typeflag == tar.TypeReg {
			_, err := to.Write(content)
			must(t, err)
		}
	}
	must(t, to.Close())
	must(t, compressed.Close())
	return out.Bytes()
}

func packaged(t *testing.T, name string, archive []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	file, err := to.Create(name)
	must(t, err)
	_, err = file.Write(archive)
	must(t, err)
	must(t, to.Close())
	return out.Bytes()
}

// An archive that somebody has exchanged is not unpacked, not even beside its place.
func TestArchiveWithAWrongChecksumIsNotUnpacked(t *testing.T) {
	t.Parallel()
	for name := range checksums {
		if !strings.HasSuffix(name, "-"+fetchedVersion+".txz") {
			t.Errorf("%s is not of version %s", name, fetchedVersion)
		}
	}
	if name, err := archiveName(); err != nil {
		t.Skipf("nothing to fetch for %s: %v", name, err)
	}
	evil := archived(t, tar.Header{Name: "bin/postgres", Typeflag: tar.TypeReg}, tar.Header{Name: "../../../escaped", Typeflag: tar.TypeReg})
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(packaged(t, "postgres.txz", evil))
	}))
	t.Cleanup(repository.Close)
	above := t.TempDir()
	cache := filepath.Join(above, "some", "cache")
	err := fetchInto(t.Context(), cache, filepath.Join(cache, "home"), repository.URL)
	if err == nil || !strings.Contains(err.Error(), "unknown checksum") {
		t.Errorf("%v", err)
	}
	must(t, filepath.WalkDir(above, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("unpacked: %s", path)
		}
		return err
	}))
}

func TestExtractReturnsTheArchiveWithItsChecksum(t *testing.T) {
	t.Parallel()
	archive := archived(t, tar.Header{Name: "bin/postgres", Typeflag: tar.TypeReg})
	sum := fmt.Sprintf("%x", sha256.Sum256(archive))
	got, err := extract(packaged(t, "postgres.txz", archive), "name", sum)
	must(t, err)
	if !bytes.Equal(got, archive) {
		t.Error("another archive")
	}
	if _, err := extract(packaged(t, "README", archive), "name", sum); err == nil {
		t.Error("a package without an archive is accepted")
	}
	if _, err := extract([]byte("no package"), "name", sum); err == nil {
		t.Error("what is no package is accepted")
	}
}

func TestUnpackKeepsFilesModesAndLinks(t *testing.T) {
	t.Parallel()
	into := filepath.Join(t.TempDir(), "home")
	must(t, unpack(archived(t,
		tar.Header{Name: "./", Typeflag: tar.TypeDir}, tar.Header{Name: "./bin/postgres", Typeflag: tar.TypeReg},
		tar.Header{Name: "lib/libpq.so.5.18", Typeflag: tar.TypeReg}, tar.Header{Name: "lib/libpq.so", Linkname: "libpq.so.5.18", Typeflag: tar.TypeSymlink},
		tar.Header{Name: "share/link", Linkname: "../lib/libpq.so", Typeflag: tar.TypeSymlink}, tar.Header{Name: "lib/hard", Linkname: "lib/libpq.so.5.18", Typeflag: tar.TypeLink},
	), into))
	for name, want := range map[string]string{"bin/postgres": "./bin/postgres", "lib/libpq.so": "lib/libpq.so.5.18", "share/link": "lib/libpq.so.5.18", "lib/hard": "lib/libpq.so.5.18"} {
		if got, err := os.ReadFile(filepath.Join(into, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(into, "bin/postgres")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestUnpackNeverWritesOutsideItsDirectory(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	regular := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink}
	}
	for name, files := range map[string][]tar.Header{
		"parent":              {regular("../escaped")},
		"parent in between":   {regular("lib/../../escaped")},
		"absolute":            {regular(outside + "/escaped")},
		"absolute link":       {link("lib", outside), regular("lib/escaped")},
		"relative link":       {link("lib", "../"+filepath.Base(outside)), regular("lib/escaped")},
		"link in a directory": {link("a/b", "../../"+filepath.Base(outside)), regular("a/b/escaped")},
		"chain of links":      {link("a", "b/.."), link("b", ".."), regular("b/escaped")},
		"hard link":           {{Name: "hard", Linkname: "../victim", Typeflag: tar.TypeLink}},
		"over a link":         {link("lib", "other"), link("other", "../victim"), regular("lib")},
		"device":              {{Name: "null", Typeflag: tar.TypeChar}},
		"pipe":                {{Name: "pipe", Typeflag: tar.TypeFifo}},
		"twice":               {regular("one"), regular("one")},
	} {
		above := t.TempDir()
		must(t, os.WriteFile(filepath.Join(above, "victim"), []byte("intact"), 0o600))
		if err := unpack(archived(t, files...), filepath.Join(above, "home")); err == nil {
			t.Errorf("%s: accepted", name)
		}
		left, err := os.ReadDir(above)
		must(t, err)
		if victim, err := os.ReadFile(filepath.Join(above, "victim")); err != nil || string(victim) != "intact" || len(left) != 2 {
			t.Errorf("%s: escaped: %v, %q, %v", name, left, victim, err)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("escaped: %v, %v", left, err)
	}
}

func TestUnpackIsBounded(t *testing.T) {
	t.Parallel()
	var files []tar.Header
	for i := range maxFiles + 1 {
		files = append(files, tar.Header{Name: fmt.Sprint("d", i%10), Typeflag: tar.TypeDir})
	}
	if err := unpack(archived(t, files...), filepath.Join(t.TempDir(), "home")); err == nil || !strings.Contains(err.Error(), "files") {
		t.Errorf("many files: %v", err)
	}
	var out bytes.Buffer
	compressed, err := xz.NewWriter(&out)
	must(t, err)
	must(t, tar.NewWriter(compressed).WriteHeader(&tar.Header{Name: "huge", Typeflag: tar.TypeReg, Size: maxUnpacked + 1}))
	must(t, compressed.Close())
	if err := unpack(out.Bytes(), filepath.Join(t.TempDir(), "home")); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("a huge file: %v", err)
	}
	if err := unpack([]byte("no archive"), filepath.Join(t.TempDir(), "home")); err == nil {
		t.Error("what is no archive is accepted")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
