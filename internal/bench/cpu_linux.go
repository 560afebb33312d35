package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc: USER_HZ, which is 100 on all architectures
// that Go has (proc(5), sysconf(3)).
const tick = time.Second / 100

// status is what /proc/PID/stat says of a process.
type status struct {
	parent        int
	own, children time.Duration // CPU time; children's is that of those that have ended
}

// statusOf returns false if there is no such process.
func statusOf(pid string) (status, bool) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return status{}, false
	}
	// The name, in parentheses, may contain anything; the fields after it are numbers.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return status{}, false
	}
	number := func(field int) time.Duration { // as proc(5) counts them
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return time.Duration(n)
	}
	return status{parent: int(number(4)), own: (number(14) + number(15)) * tick, children: (number(16) + number(17)) * tick}, true
}

func timeOf(pid int) time.Duration {
	s, found := statusOf(strconv.Itoa(pid))
	if !found {
		return unknown
	}
	return s.own
}

// timeOfFamily is the CPU time of a process and its children, which have none.
func timeOfFamily(parent int) time.Duration {
	s, found := statusOf(strconv.Itoa(parent))
	if !found {
		return unknown
	}
	total := s.own + s.children
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		if child, found := statusOf(filepath.Base(path)); found && child.parent == parent {
			total += child.own
		}
	}
	return total
}

// memoryOf is the resident memory of a process now, in MiB.
func memoryOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if kilobytes, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kilobytes), "kB")))
			return float64(n) / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
}
