package audit

// For tests of package audit_test.
var (
	DoctorInPages = examine
	Jumps         = jumps
)

// Step is a step of a booking in a queue.
type Step = step
