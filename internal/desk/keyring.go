package desk

import (
	"bytes"
	"cmp"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/idempotency"
)

// keyring has the responses to requests with an idempotency key: the stored ones,
// and those of this batch. So a repeated request in the same batch finds the first
// response before anything is written, and one in a later batch finds the stored
// one, because both batches lock the key's user. Inserting the key first and waiting
// for a conflict instead would make the whole batch wait for one key.
type keyring map[keyID]answered

type keyID struct {
	userID uuid.UUID
	value  string
}

type answered struct {
	fingerprint []byte
	response    idempotency.Response
}

func keyOf(k *idempotency.Key) keyID { return keyID{k.UserID, k.Value} }

// keep adds the response to a command that succeeded.
func (ring keyring) keep(k *idempotency.Key, response idempotency.Response) {
	ring[keyOf(k)] = answered{k.Fingerprint, response}
}

// replay returns the response again, marked as replayed. Another request with the
// same key is refused with fault.IdempotencyKeyReused.
func (a answered) replay(k *idempotency.Key) (idempotency.Response, error) {
	if err := k.Check(a.fingerprint); err != nil {
		return idempotency.Response{}, err
	}
	response := a.response
	response.Replayed = true
	return response, nil
}

func (id keyID) compare(other keyID) int {
	return cmp.Or(bytes.Compare(id.userID[:], other.userID[:]), cmp.Compare(id.value, other.value))
}

// newKeyring makes a keyring of stored responses.
func newKeyring(rows []db.IdempotencyKey) (keyring, error) {
	ring := keyring{}
	for _, row := range rows {
		response, err := idempotency.Stored(row)
		if err != nil {
			return nil, err
		}
		ring[keyID{row.UserID, row.Key}] = answered{row.Fingerprint, response}
	}
	return ring, nil
}
