//go:build unix

package embedded

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
)

// Rows and statements have the names and addresses of people.
func TestTheLogHasNothingOfRowsAndStatements(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &serverLog{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, text := range []string{
		"ERROR:  duplicate key value violates unique constraint \"users_email_key\"\n",
		"DETAIL:  Key (email_key)=(me@test.com) already exists.\n", "CONTEXT:  COPY users, line 1, column email: \"me@te", "st.com\"\n",
		"STATEMENT:  INSERT INTO users\n\t(email) VALUES ('me@test.com')\n\n\tRETURNING 'me@test.com'\n", "QUERY:  SELECT 'me@test.com'\n",
		"ERROR:  the first line\n\tthe second line\n", "HINT:  do this\n", "WARNING:  the last\n",
	} {
		if _, err := io.WriteString(l, text); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "@") {
		t.Errorf("addresses are logged:\n%s", out.String())
	}
	for _, want := range []string{"users_email_key", "the first line", "the second line", "do this", "the last"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not logged:\n%s", want, out.String())
		}
	}
	if !strings.Contains(l.last(), "DETAIL:  Key (email_key)") {
		t.Error("the error of a failed start has no details")
	}
}
