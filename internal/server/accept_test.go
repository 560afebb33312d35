package server

import "testing"

func TestPreferredFollowsTheAcceptHeader(t *testing.T) {
	t.Parallel()
	const (
		asJSON = "application/json"
		asHTML = "text/html"
	)
	for accept, want := range map[string]string{
		"":                         asJSON,
		"*/*":                      asJSON,
		"application/json":         asJSON,
		"text/html":                asHTML,
		"text/*":                   asHTML,
		"image/png":                "",
		"application/json;q=0":     "",
		"text/html, */*;q=0.1":     asHTML,
		"text/html;q=0.5, */*":     asJSON,
		"text/html;q=0, */*":       asJSON,
		"application/json;q=0,*/*": asHTML,
		"TEXT/HTML":                asHTML,
		"nonsense":                 "",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": asHTML,
	} {
		if got := preferred(accept, asJSON, asHTML); got != want {
			t.Errorf("Accept: %s gives %q, want %q", accept, got, want)
		}
	}
}
