// Package page cuts lists into pages by keyset: a page starts after the key of
// the last row of the one before, so it costs the same however deep it is, and
// rows that come and go in between shift nothing.
package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/oapi-codegen/nullable"

	"eventbooking/internal/fault"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	// maxCursor bounds what is decoded; ours are far shorter.
	maxCursor = 1024
)

// Limit is how many rows a page has: 20 unless asked otherwise, 100 at most.
func Limit(asked *int) int {
	switch {
	case asked == nil:
		return defaultLimit
	case *asked > maxLimit:
		return maxLimit
	}
	return *asked
}

// cursor is what the opaque text holds: which list it belongs to, and the key
// after which the next page starts.
type cursor struct {
	List []byte          `json:"l"`
	Key  json.RawMessage `json:"k"`
}

// After reads a cursor into key. It leaves key alone when there is none, which is
// the first page. list is everything that makes up the list (its name and
// filters, without limit and cursor); a cursor fits the list that it was made for.
func After(text *string, list, key any) error {
	if text == nil {
		return nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(*text)
	var c cursor
	if err != nil || len(*text) > maxCursor || json.Unmarshal(raw, &c) != nil || len(c.List) == 0 {
		return fault.InvalidCursor.New("This is not a cursor that this API made.")
	}
	mark, err := markOf(list)
	if err != nil {
		return err
	}
	if !bytes.Equal(c.List, mark) {
		return fault.CursorMismatch.New("This cursor belongs to a list with other filters.")
	}
	strict := json.NewDecoder(bytes.NewReader(c.Key))
	strict.DisallowUnknownFields()
	if err := strict.Decode(key); err != nil {
		return fault.InvalidCursor.New("This is not a cursor that this API made.")
	}
	// JSON can say the same in many ways, and a key can lack a part: we say it in one.
	if ours, err := Next(list, key); err != nil || ours != *text {
		return fault.InvalidCursor.New("This is not a cursor that this API made.")
	}
	return nil
}

// Next makes the cursor of the page after key.
func Next(list, key any) (string, error) {
	mark, err := markOf(list)
	if err != nil {
		return "", err
	}
	k, err := json.Marshal(key)
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	raw, err := json.Marshal(cursor{List: mark, Key: k})
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// markOf tells lists apart.
func markOf(list any) ([]byte, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:8], nil
}

// Cut takes the rows of one page out of rows, which was read with one row more
// than the limit, and makes the cursor of the next page; more is false, and next
// empty, on the last one.
func Cut[T any](rows []T, limit int, list any, key func(T) any) (page []T, next string, more bool, err error) {
	if len(rows) <= limit {
		return rows, "", false, nil
	}
	page = rows[:limit]
	next, err = Next(list, key(page[limit-1]))
	return page, next, err == nil, err
}

// Cursor is next_cursor as the API shows it: null on the last page.
func Cursor(next string) nullable.Nullable[string] {
	if next == "" {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(next)
}

// OrNull is a value that may be missing as the API shows it.
func OrNull[T any](value *T) nullable.Nullable[T] {
	if value == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*value)
}

type contextKey struct{}

// WithURL puts the request's address where Link finds it.
func WithURL(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// Link is the value of the Link header that leads to the next page (RFC 8288),
// or nil on the last page.
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
