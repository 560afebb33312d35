package page_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/page"
)

type key struct {
	At time.Time `json:"t"`
	ID uuid.UUID `json:"i"`
}

// A text is accepted only if it is, byte for byte, a cursor that Next makes for
// this list. Any other is refused with the right fault.
func FuzzAfter(f *testing.F) {
	ours, err := page.Next("list", key{time.Unix(1, 0).UTC(), uuid.Max})
	if err != nil {
		f.Fatal(err)
	}
	others, err := page.Next("another", key{})
	if err != nil {
		f.Fatal(err)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(ours)
	for _, seed := range []string{
		ours, others, "", "e30", ours + "=", ours[:len(ours)-1], strings.Repeat("A", 2000),
		encode(strings.Replace(string(raw), `"k":{`, `"k":{ `, 1)),
		encode(strings.Replace(string(raw), `"l"`, `"L"`, 1)),
		encode(strings.Replace(string(raw), `{"l"`, `{"x":1,"l"`, 1)),
		encode(string(raw[:strings.Index(string(raw), `"k":`)]) + `"k":null}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var k key
		err := page.After(&text, "list", &k)
		if err != nil {
			if !errors.Is(err, fault.InvalidCursor) && !errors.Is(err, fault.CursorMismatch) {
				t.Fatal(err)
			}
			return
		}
		if again, err := page.Next("list", k); err != nil || again != text {
			t.Errorf("%q is accepted, but Next makes %q (%v)", text, again, err)
		}
		if err := page.After(&text, "another", &k); !errors.Is(err, fault.CursorMismatch) {
			t.Errorf("%q is accepted for another list: %v", text, err)
		}
	})
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// After reads what Next makes, for the same list and no other.
func FuzzNext(f *testing.F) {
	f.Add("mine", "others", int64(0), []byte("0123456789abcdef"))
	f.Add("", "\x00", int64(-62135596800000000), []byte(nil))
	f.Fuzz(func(t *testing.T, list, other string, micros int64, id []byte) {
		k := key{At: time.UnixMicro(micros).UTC()}
		copy(k.ID[:], id)
		text, err := page.Next(list, k)
		if err != nil {
			if y := k.At.Year(); y >= 0 && y <= 9999 {
				t.Fatal(err)
			}
			return // JSON and the contract have no such year.
		}
		var read key
		if err := page.After(&text, list, &read); err != nil || read != k {
			t.Errorf("%+v came back as %+v, %v", k, read, err)
		}
		a, _ := json.Marshal(list)
		b, _ := json.Marshal(other)
		if !bytes.Equal(a, b) { // invalid UTF-8 may be equal in JSON
			if err := page.After(&text, other, &read); !errors.Is(err, fault.CursorMismatch) {
				t.Errorf("a cursor of %q is accepted for %q: %v", list, other, err)
			}
		}
	})
}
