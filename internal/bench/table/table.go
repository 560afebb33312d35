// Package table writes tables of figures.
package table

import (
	"strings"
	"unicode/utf8"
)

// Markdown is a table in Markdown that can also be read on a terminal: the first and the
// last column are aligned to the left, the others to the right. Each row has as many
// cells as there are heads.
func Markdown(heads []string, rows [][]string) string {
	widths := make([]int, len(heads))
	for _, row := range append([][]string{heads}, rows...) {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var text strings.Builder
	write := func(row []string) {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || i == len(row)-1 {
				text.WriteString("| " + cell + space + " ")
			} else {
				text.WriteString("| " + space + cell + " ")
			}
		}
		text.WriteString("|\n")
	}
	write(heads)
	for i, width := range widths {
		rule := strings.Repeat("-", width)
		if i == 0 || i == len(widths)-1 {
			text.WriteString("|-" + rule + "-")
		} else {
			text.WriteString("|-" + rule + ":")
		}
	}
	text.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
	return text.String()
}
