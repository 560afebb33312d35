package page

// Ask is which page of a list a caller asks for; nil is the default.
type Ask struct {
	Limit  *int
	Cursor *string
}

// Page is one page of a list. Next is the cursor of the page after it, empty on
// the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// HasMore says whether there is a page after it.
func (p Page[T]) HasMore() bool { return p.Next != "" }

// Read reads a page. list is everything that makes up the list, for its cursors:
// its name and filters. read gets the key to start after, first on the first page,
// and how many rows to read at most, one more than the page has; key is that of a
// row. It returns fault.InvalidCursor and fault.CursorMismatch (see After), and
// whatever read returns.
func Read[T, K any](ask Ask, list any, first K, read func(after K, rows int32) ([]T, error), key func(T) K) (Page[T], error) {
	after := first
	if err := After(ask.Cursor, list, &after); err != nil {
		return Page[T]{}, err
	}
	limit := Limit(ask.Limit)
	rows, err := read(after, int32(limit)+1)
	if err != nil {
		return Page[T]{}, err
	}
	if len(rows) <= limit {
		return Page[T]{Items: rows}, nil
	}
	next, err := Next(list, key(rows[limit-1]))
	return Page[T]{Items: rows[:limit], Next: next}, err
}
