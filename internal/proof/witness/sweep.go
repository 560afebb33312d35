package witness

import "time"

// sweep compares the order of the versions with the order in time: what had
// returned before an operation was called must not come after it. Each operation
// is put as early as it may be, which is best for all that follow, so one pass
// through time is enough.
func (c *check) sweep() *Violation {
	calls := inTime(c.Operations, func(o Operation) time.Duration { return o.Called })
	returns := inTime(c.Operations, func(o Operation) time.Duration { return o.Returned })
	seen, by := int64(0), none
	c.floor = make([]int64, len(c.Operations))
	for len(returns) > 0 {
		// At the same instant, a call comes first: nothing had returned before it.
		if len(calls) > 0 && c.Operations[calls[0]].Called <= c.Operations[returns[0]].Returned {
			op := calls[0]
			if seen > c.positions[op].to {
				return c.wrong(c.positions[op].to+1, op, "%s is true up to version %d, and version %d had been seen when it was called, by: %s",
					c.Operations[op].Verb, c.positions[op].to, seen, c.Operations[by])
			}
			c.floor[op], calls = seen, calls[1:]
			continue
		}
		op := returns[0]
		// Who got no answer has seen nothing, however long that took.
		if at := max(c.positions[op].from, c.floor[op]); c.Operations[op].Ending != Unknown && at > seen {
			seen, by = at, op
		}
		returns = returns[1:]
	}
	return nil
}
