//go:build unix

package load

import (
	"fmt"
	"sync"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// Receipt is what an answer acknowledged of one booking: how it was after the
// slot's entry of that version.
type Receipt struct {
	Command string
	Booking uuid.UUID
	At      EntryKey
	Seats   int
	Status  spec.Status
}

// EntryKey is the key of an entry of the ledger.
type EntryKey struct {
	Slot    uuid.UUID
	Version int64
}

func (k EntryKey) String() string { return fmt.Sprintf("slot %s version %d", k.Slot, k.Version) }

// Receipts are all that were given out. Many may add to them at once.
type Receipts struct {
	mu  sync.Mutex
	all []Receipt
}

// Add keeps what the answer to a command acknowledged. Refusals acknowledge nothing.
func (r *Receipts) Add(command Command, a lab.Answer) error {
	told, err := Bookings(a)
	if err != nil {
		return fmt.Errorf("%s: %w", command.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range told {
		r.all = append(r.all, Receipt{
			Command: command.Name, Booking: b.ID, At: EntryKey{b.SlotID, b.SlotVersion}, Seats: b.Seats, Status: b.Status,
		})
	}
	return nil
}

// All are those that were given out so far.
func (r *Receipts) All() []Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[:len(r.all):len(r.all)]
}
