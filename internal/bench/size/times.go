//go:build unix

package size

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"eventbooking/internal/proof/lab"
)

// world is a filled database with a process of the service.
type world struct {
	name, url string
	Landmarks
	client *lab.Client
}

// pair is one read at two sizes.
type pair struct {
	name         string
	small, large timed
}

// timed is a read with what it cost.
type timed struct {
	read
	ms      float64
	failure string
	cost    cost
}

const (
	// pageSize is how many rows a page has, farPage the number of the far one.
	pageSize = 15
	farPage  = 100
	maxLimit = 100 // of a page

	warmUps = 3
	// patience bounds the rounds of a slow read, of which there are leastRounds.
	patience    = 10 * time.Second
	leastRounds = 3
)

// measure times a read of two worlds in turn, and takes the medians. What was not
// answered as it should be is not timed.
func measure(ctx context.Context, worlds [2]*world, reads [2]read, rounds int) pair {
	p := pair{name: reads[1].name, small: timed{read: reads[0]}, large: timed{read: reads[1]}}
	var took [2][]float64
	began := time.Now()
	for round := range warmUps + rounds {
		if ctx.Err() != nil || len(took[1]) >= leastRounds && time.Since(began) > patience {
			break
		}
		for i, t := range []*timed{&p.small, &p.large} {
			a := worlds[i].client.As(t.as).Get(ctx, t.path)
			if err := a.Want(http.StatusOK, nil); err != nil {
				t.failure = problem(a)
			}
			if round >= warmUps || time.Since(began) > patience {
				took[i] = append(took[i], (a.Returned-a.Called).Seconds()*1000)
			}
		}
	}
	p.small.ms, p.large.ms = median(took[0]), median(took[1])
	return p
}

func problem(a lab.Answer) string {
	if a.Err != nil {
		return "no answer"
	}
	return strconv.Itoa(a.Status) + " " + string(a.Problem().Code)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// far is the same read of the hundredth page or, if there are fewer, of the last full
// one. It is false if there is only one.
func (w *world) far(ctx context.Context, r read) (read, bool) {
	cursor, last, limit := "", "", maxLimit
	for rows := 0; ; {
		rest := (farPage-1)*pageSize - rows
		if rest == 0 {
			last = cursor
			break
		}
		limit = min(limit, rest)
		var page struct {
			Data []json.RawMessage `json:"data"`
			Next string            `json:"next_cursor"`
		}
		a := w.client.As(r.as).Get(ctx, with(with(r.path, "cursor", cursor), "limit", strconv.Itoa(limit)))
		if a.Want(http.StatusOK, &page) != nil {
			break
		}
		if len(page.Data) >= pageSize {
			last = cursor
		}
		if page.Next == "" && limit > pageSize {
			limit = pageSize // The end is near.
			continue
		}
		if page.Next == "" {
			break
		}
		cursor, rows = page.Next, rows+len(page.Data)
	}
	r.path = with(r.path, "cursor", last)
	return r, last != ""
}

// with adds a parameter to a path, unless it is empty.
func with(path, name, value string) string {
	if value == "" {
		return path
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + name + "=" + url.QueryEscape(value)
}

// isList says whether the answer to a read has pages.
func (w *world) isList(ctx context.Context, r read) (bool, error) {
	var page struct {
		Data json.RawMessage `json:"data"`
	}
	a := w.client.As(r.as).Get(ctx, r.path)
	if err := a.Into(&page); err != nil {
		return false, fmt.Errorf("%s: %w", r.path, err)
	}
	return page.Data != nil, nil
}
