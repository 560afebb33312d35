//go:build unix

package embedded

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/ulikunitz/xz"
)

// Bounds of what is unpacked; PostgreSQL has 1,200 files with 60 MB.
const (
	maxFiles    = 20_000
	maxUnpacked = 1 << 30
)

// unpack unpacks an archive into a new directory. Nothing is written elsewhere,
// whatever names and links the archive holds. It has a known checksum, so that this
// protects from a wrong list of checksums only.
func unpack(archive []byte, into string) error {
	content, err := xz.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	if err := os.Mkdir(into, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	files := tar.NewReader(content)
	left := int64(maxUnpacked)
	for range maxFiles {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if left -= header.Size; left < 0 || header.Size < 0 {
			return fmt.Errorf("the archive holds more than %d bytes", int64(maxUnpacked))
		}
		if err := unpackFile(root, header, files); err != nil {
			return fmt.Errorf("%q: %w", header.Name, err)
		}
	}
	return fmt.Errorf("the archive holds more than %d files", maxFiles)
}

func unpackFile(root *os.Root, header *tar.Header, content io.Reader) error {
	name := path.Clean(header.Name)
	if !fs.ValidPath(name) {
		return errors.New("the name leads out of the archive")
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		if path.IsAbs(header.Linkname) || !fs.ValidPath(path.Join(path.Dir(name), header.Linkname)) {
			return errors.New("the link leads out of the archive")
		}
		return root.Symlink(header.Linkname, name)
	case tar.TypeLink:
		return root.Link(path.Clean(header.Linkname), name)
	case tar.TypeReg:
		return writeFile(root, name, header.FileInfo().Mode().Perm()&0o755, content)
	}
	return fmt.Errorf("unexpected type %q", header.Typeflag)
}

func writeFile(root *os.Root, name string, mode os.FileMode, content io.Reader) error {
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content) // bounded by the size in the header
	return errors.Join(err, file.Close())
}
