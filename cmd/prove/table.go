//go:build unix

package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	promiseWidth = 30
	figureWidth  = 74
	tookWidth    = 7
)

// table is to be read on a terminal.
func table(rows []row) string {
	var text strings.Builder
	rule := strings.Repeat("─", promiseWidth) + "──" + strings.Repeat("─", figureWidth) + "──" + strings.Repeat("─", tookWidth) + "\n"
	text.WriteString(rule)
	for _, r := range rows {
		promise, figure, took := wrap(r.promise, promiseWidth), wrap(r.figure, figureWidth), []string{r.took.Round(time.Second).String()}
		for i := range max(len(promise), len(figure)) {
			fmt.Fprintf(&text, "%-*s  %-*s  %*s\n", promiseWidth, line(promise, i), figureWidth, line(figure, i), tookWidth, line(took, i))
		}
		text.WriteString(rule)
	}
	return text.String()
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// wrap breaks a text into lines between its words.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// markdown is to be put into a page.
func markdown(rows []row) string {
	var text strings.Builder
	text.WriteString("| promise | figure | took |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "| %s | %s | %s |\n", r.promise, r.figure, r.took.Round(time.Second))
	}
	return text.String()
}
