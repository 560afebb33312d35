// Package sequence sends random commands to the whole service over HTTP, one after
// the other, lets it come to rest after each, and compares everything that the API
// shows with the specification: the answer, the slots' counters, every booking, the
// order of every queue, and every ledger, entry by entry. Of a sequence that fails,
// the shortest that still does is sought.
//
//	go test ./internal/proof/sequence                                                   short
//	go test ./internal/proof/sequence -rapid.checks=10000 -rapid.steps=60 -timeout=0    long
//
// A sequence that failed is printed with its seed; -rapid.seed plays it again while
// the same is drawn. To keep it for ever, add its requests to the list in
// named_test.go, under a name that says what it found.
package sequence
