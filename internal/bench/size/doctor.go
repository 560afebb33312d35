//go:build unix

package size

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/jackc/pgx/v5"
)

// measureDoctor lets the doctor examine each database, which also shows that the filled
// rows are sound, and compares what it takes per entry of the ledger.
func (m *measurement) measureDoctor(ctx context.Context) error {
	binary, err := m.lab.Binary()
	if err != nil {
		return err
	}
	rows := make([][]string, len(m.databases))
	for i, d := range m.databases {
		m.progress("doctor", i, len(m.databases))
		say(m.log, "the doctor examines %s", d.name)
		counts, err := d.counts(ctx)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, binary, "doctor")
		cmd.Env = []string{"DATABASE_URL=" + d.url, "PATH=" + os.Getenv("PATH")}
		began := time.Now()
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the doctor on %s: %w\n%s", d.name, err, text)
		}
		took := time.Since(began)
		rows[i] = []string{d.name, counts.String(), fmt.Sprintf("%.1f s", took.Seconds()),
			fmt.Sprintf("%.1f µs", took.Seconds()*1e6/float64(counts.entries))}
	}
	return writeTable(m.out, "The doctor", []string{"database", "", "time", "per entry"}, rows)
}

// counts are numbers of rows.
type counts struct{ users, events, slots, bookings, entries int64 }

func (c counts) String() string {
	return fmt.Sprintf("%d users, %d events, %d slots, %d bookings, %d entries of the ledger", c.users, c.events, c.slots, c.bookings, c.entries)
}

func (d database) counts(ctx context.Context) (c counts, err error) {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return c, err
	}
	defer closeConn(ctx, conn)
	return c, conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM events), (SELECT count(*) FROM slots),
		(SELECT count(*) FROM bookings), (SELECT count(*) FROM ledger)`).Scan(&c.users, &c.events, &c.slots, &c.bookings, &c.entries)
}
