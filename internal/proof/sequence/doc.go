// Package sequence is a model of the house, written from what is promised and
// not from how it is kept: slots with their queues, bookings with their lives,
// and what each command of the API comes to. It has no database, no clock and no
// concurrency, and shares no code with the service.
//
// The package's tests send random commands to the whole service over HTTP, one
// after the other, let it come to rest after each, and compare everything that
// the API shows with the model: the answer, the slots' counters, every booking,
// the order of every queue, and every ledger, entry by entry. Of a sequence that
// fails, the shortest that still does is sought.
//
//	go test ./internal/proof/sequence                                            short
//	go test ./internal/proof/sequence -rapid.checks=10000 -rapid.steps=60 -timeout=0    long
//
// A sequence that failed is kept in testdata/rapid/TestSequences, gets a name
// that says what it found (TestSequences-….fail), is committed, and is played
// first by every later run. Its file tells the commands in words; played, it is
// the numbers that were drawn, so a change of what is drawn makes it another
// sequence. This plays one alone:
//
//	go test ./internal/proof/sequence -v -run=TestSequences -rapid.failfile=testdata/rapid/TestSequences/….fail
package sequence
