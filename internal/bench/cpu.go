package bench

import "time"

// cpuTimes are the processes whose CPU time is counted; 0 stands for none.
type cpuTimes struct{ service, postmaster int }

// unknown is the CPU time of what the machine does not tell, or nobody asked for.
const unknown = time.Duration(-1)

// read is the CPU time until now of the service, and of PostgreSQL with all its
// processes, those that have ended included.
func (c cpuTimes) read() (service, postgres time.Duration) {
	service, postgres = unknown, unknown
	if c.service != 0 {
		service = timeOf(c.service)
	}
	if c.postmaster != 0 {
		postgres = timeOfFamily(c.postmaster)
	}
	return service, postgres
}

func difference(after, before time.Duration) time.Duration {
	if after < 0 || before < 0 {
		return unknown
	}
	return max(after-before, 0)
}
