package desk

import (
	"bytes"
	"cmp"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
)

// keyring holds the answers to requests that came with an idempotency key: those
// that were stored, and those of this batch. A repeated request that is in the
// same batch as the first one thus finds the first answer, before anything is
// written, and one in a later batch finds the stored one, because both hold the
// lock of the key's user. The alternative, inserting the key first and waiting
// for the conflict, would make the whole batch wait for one key.
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

// keep remembers the answer if it is of the kind that is remembered.
func (ring keyring) keep(k *idempotency.Key, r *result) bool {
	response := r.outcome.Response
	if r.err != nil {
		if !idempotency.Storable(r.err) {
			return false
		}
		response = k.Refuse(fault.Of(r.err))
	}
	ring[keyOf(k)] = answered{k.Fingerprint, response}
	return true
}

// replay is the first answer again, for the same request only.
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

// newKeyring is the keyring of stored answers.
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
