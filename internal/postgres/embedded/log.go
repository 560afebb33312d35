//go:build unix

package embedded

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// serverLog passes the server's output on, line by line, and keeps the last lines
// for the error of a start that fails.
type serverLog struct {
	log *slog.Logger

	mu     sync.Mutex
	line   []byte
	recent []string
	// silent means that the last line was not passed on, nor are those that continue it.
	silent bool
}

// aboutRows begin the lines with which the server adds rows and statements to a message,
// and so people's names and addresses: they are for the error of a failed start only.
var aboutRows = []string{"DETAIL:", "CONTEXT:", "QUERY:", "STATEMENT:"}

const (
	recentLines = 20
	maxLogLine  = 4096 // bytes; the rest of a longer line is dropped
)

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		l.line = append(l.line, line[:min(len(line), max(0, maxLogLine-len(l.line)))]...)
		if whole {
			l.emit(string(l.line))
			l.line = l.line[:0]
		}
	}
	return len(p), nil
}

func (l *serverLog) emit(line string) {
	if len(l.recent) == recentLines {
		l.recent = l.recent[1:]
	}
	l.recent = append(l.recent, line)
	if line != "" && !strings.HasPrefix(line, "\t") {
		l.silent = slices.ContainsFunc(aboutRows, func(prefix string) bool { return strings.HasPrefix(line, prefix) })
	}
	if l.silent {
		return
	}
	level := slog.LevelDebug
	// FATAL is left out: connections refused during a start or a shutdown are normal.
	if strings.HasPrefix(line, "PANIC:") || strings.HasPrefix(line, "WARNING:") ||
		strings.Contains(line, "deadlock detected") {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "postgres: "+line)
}

func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.recent, "\n")
}
