package page_test

import (
	"errors"
	"slices"
	"testing"

	"eventbooking/internal/fault"
	"eventbooking/internal/page"
)

// numbers reads the whole numbers after one of them, up to nine.
func numbers(after int, rows int32) (list []int, err error) {
	for n := after + 1; n <= 9 && len(list) < int(rows); n++ {
		list = append(list, n)
	}
	return list, nil
}

func same(n int) int { return n }

func TestPagesFollowEachOtherToTheEnd(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{1: 9, 2: 5, 3: 3, 4: 3, 9: 1, 10: 1} {
		var all []int
		ask, pages := page.Ask{Limit: &limit}, 0
		for {
			p, err := page.Read(ask, "numbers", 0, numbers, same)
			if err != nil {
				t.Fatal(err)
			}
			all, pages = append(all, p.Items...), pages+1
			if !p.HasMore() {
				break
			}
			ask.Cursor = &p.Next
		}
		if !slices.Equal(all, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}) || pages != want {
			t.Errorf("by %d: %v in %d pages, want %d", limit, all, pages, want)
		}
	}
}

func TestACursorBelongsToItsList(t *testing.T) {
	t.Parallel()
	two := 2
	p, err := page.Read(page.Ask{Limit: &two}, "numbers", 0, numbers, same)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := page.Read(page.Ask{Cursor: &p.Next}, "others", 0, numbers, same); !errors.Is(err, fault.CursorMismatch) {
		t.Errorf("got %v", err)
	}
}

func TestWhatFailsToReadHasNoPage(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	read := func(int, int32) ([]int, error) { return nil, failed }
	if p, err := page.Read(page.Ask{}, "numbers", 0, read, same); !errors.Is(err, failed) || p.Items != nil {
		t.Errorf("got %v, %v", p, err)
	}
}
