package desk

// RunTogether runs submissions as one batch, and returns their errors.
func (d *Desk) RunTogether(submissions ...Submission) []error {
	var batch []*pending
	for _, s := range submissions {
		batch = append(batch, newPending(s))
	}
	d.run(batch, waitForLocks)
	errs := make([]error, len(batch))
	for i, p := range batch {
		errs[i] = p.err
	}
	return errs
}

// ReadAhead is the desk with another number of spare bookings in its pages of queues.
func (d *Desk) ReadAhead(spare int) *Desk {
	d.spareHeads = int32(spare)
	return d
}
