//go:build unix

package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"eventbooking/internal/proof/lab"
)

// Examine compares all receipts with the books of a place, when nobody is still
// waiting for an answer, and asks the service's own doctor. What is wrong goes
// into a file, together with what was found already.
func Examine(ctx context.Context, p *lab.Place, receipts *Receipts, found ...string) error {
	books, err := Open(ctx, p.Cluster.URL())
	if err != nil {
		return err
	}
	found = append(found, Audit(receipts.All(), books)...)
	complaints, err := p.Service.Doctor(ctx)
	if err != nil {
		return err
	}
	if found = append(found, complaints...); len(found) == 0 {
		return nil
	}
	file := p.Service.Log() + ".findings"
	err = os.WriteFile(file, []byte(strings.Join(found, "\n")+"\n"), 0o600)
	return errors.Join(lab.Broken(fmt.Errorf("%d findings, in %s; the first: %s", len(found), file, found[0])), err)
}
