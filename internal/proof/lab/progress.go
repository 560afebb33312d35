//go:build unix

package lab

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// progress is one line that says how far something is: rewritten on a terminal,
// written now and then elsewhere.
type progress struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	tasks map[string]task
	last  time.Time
	open  bool
}

// task is what progress is told of, and since when.
type task struct {
	done  int
	began time.Time
}

const (
	terminalPace = 200 * time.Millisecond
	logPace      = 20 * time.Second
)

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, tasks: map[string]task{}}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) tell(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	running, known := p.tasks[what]
	if !known || done < running.done/2 {
		running.began = now // The first, or another one of that name: those who count together fall back less.
	}
	running.done = done
	p.tasks[what] = running
	pace := logPace
	if p.terminal {
		pace = terminalPace
	}
	if now.Sub(p.last) < pace {
		return
	}
	p.last = now
	text := fmt.Sprintf("  %s: %d of %d, %s", what, done, total, now.Sub(running.began).Round(time.Second))
	if p.terminal {
		_, _ = fmt.Fprintf(p.out, "\r\033[K%s", text)
		p.open = true
		return
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		_, _ = fmt.Fprint(p.out, "\r\033[K")
		p.open = false
	}
}
