// Package page cuts lists into pages by keyset: a page starts after the key of the
// last row of the page before. Unlike with an offset, every page costs the same,
// and rows that are inserted or deleted in between are not repeated or skipped.
package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"

	"eventbooking/internal/fault"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	// maxCursor is the longest text that is decoded; cursors are far shorter.
	maxCursor = 1024
)

// Limit is the number of rows of a page: what was asked for, at most 100, or 20.
func Limit(asked *int) int {
	switch {
	case asked == nil:
		return defaultLimit
	case *asked > maxLimit:
		return maxLimit
	}
	return *asked
}

// cursor is what the opaque text encodes: the hash of its list, and the key after
// which the next page starts.
type cursor struct {
	List []byte          `json:"l"`
	Key  json.RawMessage `json:"k"`
}

// After decodes a cursor into key, and leaves key alone if text is nil, which is
// the first page. list is everything that makes up the list: its name and filters,
// without limit and cursor. It returns fault.CursorMismatch if the cursor was made
// for another list, and fault.InvalidCursor for any text that Next does not make.
func After(text *string, list, key any) error {
	if text == nil {
		return nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(*text)
	var c cursor
	if err != nil || len(*text) > maxCursor || json.Unmarshal(raw, &c) != nil || len(c.List) == 0 {
		return errInvalidCursor()
	}
	hash, err := hashOf(list)
	if err != nil {
		return err
	}
	if !bytes.Equal(c.List, hash) {
		return fault.CursorMismatch.New("This cursor belongs to a list with other filters.")
	}
	strict := json.NewDecoder(bytes.NewReader(c.Key))
	strict.DisallowUnknownFields()
	if err := strict.Decode(key); err != nil {
		return errInvalidCursor()
	}
	// The same key has many forms in JSON, and a key may lack a part: only the form
	// that Next makes is valid.
	if ours, err := Next(list, key); err != nil || ours != *text {
		return errInvalidCursor()
	}
	return nil
}

func errInvalidCursor() error {
	return fault.InvalidCursor.New("This cursor was not made by this API.")
}

// Next makes the cursor of the page that starts after key. It fails only if list or
// key cannot be written as JSON.
func Next(list, key any) (string, error) {
	hash, err := hashOf(list)
	if err != nil {
		return "", err
	}
	k, err := json.Marshal(key)
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	raw, err := json.Marshal(cursor{List: hash, Key: k})
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// hashOf identifies a list.
func hashOf(list any) ([]byte, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:8], nil
}

// Cut returns the rows of one page and the cursor of the next. rows must have been
// read with one row more than limit: that row shows that there are more. On the
type contextKey struct{}

// WithURL returns a context that carries the request's URL for Link.
func WithURL(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// Link is the Link header that leads to the next page (RFC 8288): the request's URL
// with another cursor. It is nil on the last page.
func Link(ctx context.Context, next string) *string {
	u, _ := ctx.Value(contextKey{}).(*url.URL)
	if next == "" || u == nil {
		return nil
	}
	query := u.Query()
	query.Set("cursor", next)
	link := fmt.Sprintf("<%s?%s>; rel=\"next\"", u.EscapedPath(), query.Encode())
	return &link
}
