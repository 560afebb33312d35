package spec

import "slices"

// unmade is the number of no booking, and not None either.
const unmade = None - 1

// tooMany is the refusal of a newcomer who wants more seats than one may have. With seats
// at once, it takes the place of the booking that it replaces; who moves a booking has as
// many seats as before.
func (m *Model) tooMany(r Request, served bool, replaces int) Code {
	if r.Verb == Move {
		return ""
	}
	b := Booking{Number: unmade, Person: r.Who, Slot: r.Slot, Seats: r.Seats, Status: Confirmed, Replaces: replaces, Gives: None}
	if !served && r.Wait {
		b.Status, b.Gives = Waitlisted, replaces
	} else if replaces != None {
		b.Number = replaces
	}
	return m.exceeds(b)
}

// grownTooMuch is the refusal of a booking that would get more seats than one may have.
func (m *Model) grownTooMuch(b Booking, seats int) Code {
	if seats <= b.Seats {
		return ""
	}
	b.Seats = seats
	return m.exceeds(b)
}

// exceeds is the refusal of a booking beside what its person has, or in the place of the
// one with its number. What somebody has already they keep, if a limit was lowered.
func (m *Model) exceeds(b Booking) Code {
	switch {
	case m.PerBooking > 0 && b.Seats > m.PerBooking:
		return BookingSeatLimit
	case m.PerUser == 0:
		return ""
	}
	with := slices.DeleteFunc(m.of(b.Person), func(o Booking) bool { return o.Number == b.Number })
	if wants := m.count(append(with, b)); wants > m.PerUser && wants > m.Count(b.Person) {
		return UserSeatLimit
	}
	return ""
}

// of are a person's live bookings.
func (m *Model) of(person int) (all []Booking) {
	for i := range m.Slots {
		if b := m.Of(person, i); b != nil {
			all = append(all, *b)
		}
	}
	return all
}

// Count is how many seats a person has or waits for.
func (m *Model) Count(person int) int { return m.count(m.of(person)) }

// count adds up seats. Where some wait instead of one booking, the largest of them counts
// only as far as it is larger than that.
func (m *Model) count(bookings []Booking) (sum int) {
	for _, b := range bookings {
		if (b.Status == Held || b.Status == Offered) && b.Until > 0 && m.Now >= b.Until {
			continue
		}
		sum += b.Seats
		most := 0
		for _, waits := range bookings {
			if waits.Status == Waitlisted && m.gives(&waits) == b.Number {
				most = max(most, waits.Seats)
			}
		}
		sum -= min(b.Seats, most)
	}
	return sum
}

// outgrown says whether a booking that waits was to replace another one, has to come
// beside it because that can no longer be given back, and would be too much.
func (m *Model) outgrown(b *Booking) bool {
	old := m.live(b.Gives)
	return m.PerUser > 0 && old != nil && old.Status.TakesSeats() && m.gives(b) == None && m.Count(b.Person) > m.PerUser
}

func seatsOf(requests []Request) (sum int) {
	for _, r := range requests {
		sum += r.Seats
	}
	return sum
}
