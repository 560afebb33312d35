//go:build unix

package defaults

import (
	"io"
	"slices"
	"strings"
	"testing"

	"eventbooking/internal/proof/labtest"
)

// One package's races, on a server with hostile defaults.
func TestRacesPassOnHostileDefaults(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := Prove(t.Context(), l, Options{
		Packages: []string{"eventbooking/internal/desk"}, Run: "^(TestBookingFillsThenWaitsThenIsPromoted|TestRepeatedKeyHasOneEffect)$"})
	if err != nil || !strings.Contains(figure, "2 tests, 0 failures") {
		t.Errorf("%q %v", figure, err)
	}
	if _, err := Prove(t.Context(), l, Options{Packages: []string{"eventbooking/internal/nothing"}}); err == nil {
		t.Error("a package that does not build is no failure")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines  string
		passed int
		failed []string
	}{
		"good": {`{"Action":"run","Package":"p","Test":"TestA"}
			{"Action":"pass","Package":"p","Test":"TestA/one"}
			{"Action":"pass","Package":"p","Test":"TestA"}
			{"Action":"skip","Package":"p","Test":"TestB"}
			{"Action":"pass","Package":"p"}`, 1, nil},
		"a test fails": {`{"Action":"fail","Package":"p","Test":"TestA/one"}
			{"Action":"fail","Package":"p","Test":"TestA"}
			{"Action":"fail","Package":"p"}`, 0, []string{"p.TestA"}},
		"a package fails": {`{"Action":"pass","Package":"p","Test":"TestA"}
			{"Action":"fail","Package":"p"}`, 1, []string{"p"}},
		"does not build": {`{"ImportPath":"p","Action":"build-fail"}
			{"Action":"fail","Package":"p","FailedBuild":"p"}`, 0, []string{"p"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := read(strings.NewReader(c.lines), io.Discard, func(int) {})
			if err != nil || o.passed != c.passed || !slices.Equal(o.failed, c.failed) {
				t.Errorf("%+v %v", o, err)
			}
		})
	}
	if _, err := read(strings.NewReader("not JSON"), io.Discard, func(int) {}); err == nil {
		t.Error("what is not JSON is overlooked")
	}
}
