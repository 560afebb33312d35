//go:build unix

package size

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureReads times every read, the first and a far page of lists, and prints what grew.
// No workers run, so that nothing is explained that belongs to no request.
func (m *measurement) measureReads(ctx context.Context) error {
	var pairs []pair
	err := m.inWorlds(ctx, false, false, func(worlds [2]*world) error {
		requests, err := m.requests(ctx, worlds)
		for i, r := range requests {
			m.progress("reads", i, len(requests))
			pairs = append(pairs, measure(ctx, worlds, r, m.rounds))
		}
		return errors.Join(err, ctx.Err())
	})
	if err == nil && m.explain.available {
		err = m.inWorlds(ctx, false, true, func(worlds [2]*world) error { return m.explainReads(ctx, worlds, pairs) })
	}
	if err != nil {
		return err
	}
	return writeReads(m.out, pairs)
}

// requests are the reads of both worlds, with far pages where there are any.
func (m *measurement) requests(ctx context.Context, worlds [2]*world) (all [][2]read, err error) {
	now := time.Now()
	small, large := reads(worlds[0].Landmarks, now), reads(worlds[1].Landmarks, now)
	for i := range large {
		m.progress("pages", i, len(large))
		first := [2]read{small[i], large[i]}
		isList, err := worlds[1].isList(ctx, large[i])
		if err != nil {
			return nil, err
		}
		if !isList {
			all = append(all, first)
			continue
		}
		for w := range first {
			first[w].path = with(first[w].path, "limit", fmt.Sprint(pageSize))
		}
		all = append(all, first)
		far, there := worlds[1].far(ctx, large[i])
		if !there {
			continue
		}
		far.path = with(far.path, "limit", fmt.Sprint(pageSize))
		far.name += fmt.Sprintf(", page %d", farPage)
		farSmall := first[0]
		if last, there := worlds[0].far(ctx, small[i]); there {
			farSmall.path = with(last.path, "limit", fmt.Sprint(pageSize))
		}
		all = append(all, [2]read{farSmall, far})
	}
	return all, ctx.Err()
}

// explainReads asks each once more, after once to connect and to cache, and adds up its
// statements.
func (m *measurement) explainReads(ctx context.Context, worlds [2]*world, pairs []pair) error {
	for i := range pairs {
		m.progress("plans", i, len(pairs))
		for w, t := range []*timed{&pairs[i].small, &pairs[i].large} {
			ask := func() error { return worlds[w].client.As(t.as).Get(ctx, t.path).Err }
			if err := ask(); err != nil {
				return err
			}
			statements, err := m.explain.of(ctx, ask)
			if err != nil {
				return err
			}
			t.cost = sum(statements, worlds[w].name)
		}
	}
	return ctx.Err()
}
