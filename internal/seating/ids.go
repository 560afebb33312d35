package seating

import (
	"bytes"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// SortedIDs returns the ids in order, each once. Locks are taken in this order.
func SortedIDs(ids []uuid.UUID) []uuid.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func sortedKeys[T any](m map[uuid.UUID]T) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), compareIDs)
}

// inOrder are the values of a map in the order of their ids.
func inOrder[T any](m map[uuid.UUID]T) []T {
	list := make([]T, 0, len(m))
	for _, id := range sortedKeys(m) {
		list = append(list, m[id])
	}
	return list
}
