//go:build unix

package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"eventbooking/internal/postgres"
)

func TestOldServersAndThoseWithoutTheExtensionAreUnsuitable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		number       int
		version      string
		hasExtension bool
		says         string
	}{
		{90624, "9.6.24", true, "9.6.24"}, {120022, "12.22", true, "12.22"}, {130000, "13.0.0", true, "13.0.0"}, {140015, "14.15 (Debian)", true, "15 or newer"},
		{150018, "15.18", true, ""}, {180000, "18beta1", true, ""}, {150018, "15.18", false, "contrib"},
	} {
		err := postgres.CheckServer(c.number, c.version, c.hasExtension)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, postgres.ErrUnsuitable) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.version, err)
		}
	}
}
