package spec

import (
	"net/http"
	"slices"
)

// Verb is what a request is for.
type Verb string

// The verbs.
const (
	Book         Verb = "book"
	Hold         Verb = "hold"
	Bundle       Verb = "bundle"
	Confirm      Verb = "confirm"
	Accept       Verb = "accept"
	Decline      Verb = "decline"
	Cancel       Verb = "cancel"
	Move         Verb = "move"
	Resize       Verb = "resize"
	CheckIn      Verb = "check in"
	UndoCheckIn  Verb = "undo check-in"
	EditCapacity Verb = "edit capacity"
	EditTimes    Verb = "edit times"
	SetStatus    Verb = "set status"
	CancelSlot   Verb = "cancel slot"
	EditRules    Verb = "edit rules"
	Promote      Verb = "promote"
	ReadBooking  Verb = "read booking"
	ReadPosition Verb = "read position"
	ReadSlot     Verb = "read slot"
	ListBookings Verb = "list bookings"
)

const (
	slotPath    = "/slots/${slot}"
	bookingPath = "/bookings/${booking}"
)

// Commands are all commands, and the reads after them. A new one is a verb, a
// line here, and what it does, below.
var Commands = []Command{
	{Verb: Book, Method: http.MethodPost, Path: slotPath + "/bookings", do: (*Model).book,
		Takes: []Member{InSlot, WithSeats, WithLeast, OrWait, Replacing}},
	{Verb: Hold, Method: http.MethodPost, Path: slotPath + "/holds", do: (*Model).hold,
		Takes: []Member{InSlot, WithSeats}, Becomes: Held},
	{Verb: Bundle, Method: http.MethodPost, Path: "/bookings", do: (*Model).bundle,
		Takes: []Member{WithItems}, Becomes: Confirmed},
	{Verb: Confirm, Method: http.MethodPost, Path: bookingPath + "/confirm", do: settle(Held, KindConfirmed, Confirmed, HoldExpired),
		About: is(Held), Becomes: Confirmed},
	{Verb: Accept, Method: http.MethodPost, Path: bookingPath + "/accept", do: settle(Offered, KindAccepted, Confirmed, OfferExpired),
		About: is(Offered), Becomes: Confirmed},
	{Verb: Decline, Method: http.MethodPost, Path: bookingPath + "/decline", do: settle(Offered, KindDeclined, Cancelled, OfferExpired),
		About: is(Offered), Becomes: Cancelled},
	{Verb: Cancel, Method: http.MethodPost, Path: bookingPath + "/cancel", do: (*Model).cancel,
		About: isLive, Takes: []Member{WithReason}, Becomes: Cancelled},
	{Verb: Move, Method: http.MethodPost, Path: bookingPath + "/move", do: (*Model).move,
		About: is(Confirmed), Takes: []Member{InSlot}},
	{Verb: Resize, Method: http.MethodPatch, Path: bookingPath, do: (*Model).changeSeats,
		About: isLive, Takes: []Member{WithSeats, WithLeast}},
	{Verb: CheckIn, Method: http.MethodPost, Path: bookingPath + "/check-in", do: noteArrival(KindCheckedIn),
		About: is(Confirmed), Manages: true},
	{Verb: UndoCheckIn, Method: http.MethodDelete, Path: bookingPath + "/check-in", do: noteArrival(KindCheckInUndone),
		About: is(Confirmed), Manages: true},
	{Verb: EditCapacity, Method: http.MethodPatch, Path: slotPath, do: (*Model).editCapacity,
		Manages: true, Takes: []Member{InSlot, WithCapacity}},
	{Verb: EditTimes, Method: http.MethodPatch, Path: slotPath, do: (*Model).editTimes,
		Manages: true, Takes: []Member{InSlot, WithTimes}},
	{Verb: SetStatus, Method: http.MethodPatch, Path: slotPath, do: (*Model).setStatus,
		Manages: true, Takes: []Member{InSlot, WithStatus}},
	{Verb: CancelSlot, Method: http.MethodPost, Path: slotPath + "/cancel", do: (*Model).cancelSlot,
		Manages: true, Takes: []Member{InSlot, WithReason}},
	{Verb: EditRules, Method: http.MethodPatch, Path: "/events/${event}", do: (*Model).editRules,
		Manages: true, Takes: []Member{WithRules}},
	{Verb: Promote, Method: http.MethodPost, Path: slotPath + "/promote", do: promoteNow,
		Manages: true, Takes: []Member{InSlot}},

	{Verb: ReadBooking, Method: http.MethodGet, Path: bookingPath, do: show, About: isLive},
	{Verb: ReadPosition, Method: http.MethodGet, Path: bookingPath + "/waitlist-position", do: show, About: isLive},
	{Verb: ReadSlot, Method: http.MethodGet, Path: slotPath},
	{Verb: ListBookings, Method: http.MethodGet, Path: slotPath + "/bookings?status=confirmed,waitlisted&limit=100"},
}

func is(status Status) func(Booking) bool { return func(b Booking) bool { return b.Status == status } }

func isLive(b Booking) bool { return b.Status.Live() }

// book asks for seats.
func (m *Model) book(r Request, _ Booking) Answer {
	old := m.recall(r.Replaces, r.Who)
	if r.Least > r.Seats || r.Replaces != None && old.Person != r.Who {
		return refuse(ValidationFailed)
	}
	if refusal, refused := m.closed(r); refused {
		return refusal
	}
	if r.Replaces != None && (!old.Status.TakesSeats() || old.Slot == r.Slot) {
		return refuse(ValidationFailed)
	}
	if r.Replaces != None {
		if code := m.refusesReturn(&old, r.Who); code != "" {
			return refuse(code)
		}
	}
	if code := m.refusal(r, r.Replaces); code != "" {
		return refuse(code)
	}
	return made(m.add(r, KindConfirmed, r.Replaces, None, 0))
}

// hold asks for seats for a while.
func (m *Model) hold(r Request, _ Booking) Answer {
	r.Least, r.Wait = 0, false
	if refusal, refused := m.closed(r); refused {
		return refusal
	}
	if code := m.refusal(r, None); code != "" {
		return refuse(code)
	}
	return made(m.add(r, KindHeld, None, None, 0))
}

// bundle asks for seats of several slots: all or none.
func (m *Model) bundle(r Request, _ Booking) Answer {
	for _, code := range []Code{ValidationFailed, BookingOverlap} {
		for i, item := range r.Items {
			if slices.ContainsFunc(r.Items[:i], func(other Request) bool {
				return other.Slot == item.Slot || code == BookingOverlap && m.Overlap(other.Slot, item.Slot)
			}) {
				return refuse(code)
			}
		}
	}
	for i, item := range r.Items {
		if refusal, refused := m.closed(item); refused {
			refusal.Item = i
			return refusal
		}
	}
	for i, item := range r.Items {
		code := m.refusal(item, None)
		if all := seatsOf(r.Items[:i+1]); code != BookingSeatLimit && m.PerUser > 0 && m.Count(r.Who)+all > m.PerUser {
			code = UserSeatLimit
		}
		if code != "" {
			refusal := refuse(code)
			refusal.Item = i
			return refusal
		}
	}
	var all []int
	for i, item := range r.Items {
		item.Numbers = r.Numbers
		all = append(all, m.add(item, KindConfirmed, None, None, i))
	}
	return made(all...)
}

// closed is what keeps a newcomer out, whatever is free.
func (m *Model) closed(r Request) (refusal Answer, refused bool) {
	s := &m.Slots[r.Slot]
	has := m.Of(r.Who, r.Slot)
	switch {
	case s.Status == SlotCancelled:
		return refuse(SlotIsCancelled), true
	case s.Status == Closed:
		return refuse(BookingClosed), true
	case m.started(r.Slot):
		return refuse(SlotStarted), true
	case r.Seats > s.Capacity:
		return refuse(SeatsExceedCapacity), true
	case has != nil:
		refusal = refuse(AlreadyBooked)
		refusal.Names = has.Number
		return refusal, true
	}
	return Answer{}, false
}

// refusal is what keeps a newcomer out, as the seats are.
func (m *Model) refusal(r Request, except int) Code {
	served := m.CanSeat(r.Slot, (&Booking{Seats: r.Seats, Least: r.Least}).Needs())
	switch {
	case m.tooMany(r, served, except) != "":
		return m.tooMany(r, served, except)
	case (served || !r.Wait) && len(m.busy(r.Who, r.Slot, except)) > 0:
		return BookingOverlap
	case served:
		return ""
	case !r.Wait:
		return SlotFull
	}
	return m.waitlist(&m.Slots[r.Slot])
}

// add makes the i-th booking of a request: with seats, or at the end of the queue.
func (m *Model) add(r Request, kind Kind, replaces, movedFrom, i int) int {
	number := m.made
	if r.Numbers != nil {
		number = None - 1 - i // the answer shows fewer than it should
		if i < len(r.Numbers) {
			number = r.Numbers[i]
		}
	}
	m.made++
	step := Step{Kind: kind, Slot: r.Slot, Booking: number,
		Newcomer: Newcomer{Person: r.Who, Seats: r.Seats, Least: r.Least, Replaces: replaces, MovedFrom: movedFrom}}
	if !m.CanSeat(r.Slot, (&Booking{Seats: r.Seats, Least: r.Least}).Needs()) {
		step.Kind = KindWaitlisted
	}
	m.must(step)
	m.complete(number)
	return number
}

// complete is what follows when a booking has seats, in the same command: those
// whom it passed are told so, and what it replaces is given back.
func (m *Model) complete(number int) {
	b := m.live(number)
	for s := &m.Slots[b.Slot]; len(s.passed) > 0; {
		m.must(Step{Kind: KindPassed, Slot: b.Slot, Booking: s.passed[0]})
	}
	if old := m.live(m.gives(b)); b.Status == Confirmed && old != nil {
		b.Gives = None
		m.follow(old.Number, number)
		m.must(Step{Kind: KindCancelled, Slot: old.Slot, Booking: old.Number})
	}
}

// recall is a booking. Of one that the model has forgotten it is known that it was
// cancelled, and who asks says that it was theirs.
func (m *Model) recall(number, who int) Booking {
	b, known := m.Booking(number)
	if !known && m.past == nil {
		return Booking{Number: number, Person: who, Slot: None, Status: Cancelled}
	}
	return b
}

// settle makes a hold or an offer a booking for good, or declines the offer.
func settle(from Status, kind Kind, to Status, late Code) func(*Model, Request, Booking) Answer {
	return func(m *Model, _ Request, b Booking) Answer {
		switch {
		case b.Status == to:
		case b.Status == from:
			m.must(Step{Kind: kind, Slot: b.Slot, Booking: b.Number})
		case to == Confirmed && b.Slot != None && m.Slots[b.Slot].Status == SlotCancelled:
			return refuse(SlotIsCancelled)
		case b.Status == Expired:
			return refuse(late)
		default:
			return refuse(InvalidTransition)
		}
		return done(b.Number)
	}
}

// cancel gives seats back, or leaves the queue. The organizer has to say why.
func (m *Model) cancel(r Request, b Booking) Answer {
	switch {
	case r.Who != b.Person && !r.Reason:
		return refuse(ValidationFailed)
	case b.Status == Expired:
		return refuse(InvalidTransition)
	case b.Status.Live():
		if code := m.refusesReturn(&b, r.Who); code != "" {
			return refuse(code)
		}
		m.must(Step{Kind: KindCancelled, Slot: b.Slot, Booking: b.Number})
	}
	return done(b.Number)
}

// refusesReturn: nobody takes back what is final, and owners neither after they
// were checked in nor after the start.
func (m *Model) refusesReturn(b *Booking, who int) Code {
	switch {
	case m.final(b):
		return BookingFinal
	case who == Organizer || b.Status != Confirmed:
		return ""
	case b.CheckedIn:
		return IsCheckedIn
	case m.started(b.Slot):
		return CancellationClosed
	}
	return ""
}

// move exchanges a booking for one of another slot, or changes nothing.
func (m *Model) move(r Request, old Booking) Answer {
	switch {
	case r.Slot == old.Slot:
		return refuse(ValidationFailed)
	case old.Status != Confirmed:
		return refuse(InvalidTransition)
	}
	if code := m.refusesReturn(&old, r.Who); code != "" {
		return refuse(code)
	}
	to := Request{Verb: Move, Who: old.Person, Slot: r.Slot, Seats: old.Seats, Numbers: r.Numbers}
	if refusal, refused := m.closed(to); refused {
		return refusal
	}
	if code := m.refusal(to, old.Number); code != "" {
		return refuse(code)
	}
	m.must(Step{Kind: KindMoved, Slot: old.Slot, Booking: old.Number})
	return made(m.add(to, KindConfirmed, None, old.Number, 0))
}

// changeSeats changes the number of seats, and the least of them.
func (m *Model) changeSeats(r Request, b Booking) Answer {
	if r.Least == None {
		r.Least = min(b.Least, r.Seats)
	}
	if r.Least <= r.Seats && r.Seats == b.Seats && r.Least == b.Least {
		return done(b.Number)
	}
	if code := m.refusesResize(b, r.Who, r.Seats, r.Least); code != "" {
		return refuse(code)
	}
	m.must(Step{Kind: KindResized, Slot: b.Slot, Booking: b.Number, Newcomer: Newcomer{Seats: r.Seats, Least: r.Least}})
	return done(b.Number)
}

// refusesResize: only who waits may ask for more than is free, and what is held
// or offered can only become less.
func (m *Model) refusesResize(b Booking, who, seats, least int) Code {
	switch {
	case least > seats:
		return ValidationFailed
	case !b.Status.Live(), b.Status != Waitlisted && least != min(b.Least, seats),
		(b.Status == Held || b.Status == Offered) && seats > b.Seats:
		return InvalidTransition
	}
	s := &m.Slots[b.Slot]
	switch {
	case seats > s.Capacity:
		return SeatsExceedCapacity
	case m.final(&b):
		return BookingFinal
	case m.grownTooMuch(b, seats) != "":
		return m.grownTooMuch(b, seats)
	case b.Status == Waitlisted:
		return ""
	case seats <= b.Seats:
		return m.refusesReturn(&b, who)
	case s.Status == Closed:
		return BookingClosed
	case m.started(b.Slot):
		return SlotStarted
	case seats-b.Seats > s.Free() || len(s.ready()) > 0:
		return SlotFull
	}
	return ""
}

// noteArrival notes that somebody has come, or takes it back.
func noteArrival(kind Kind) func(*Model, Request, Booking) Answer {
	return func(m *Model, _ Request, b Booking) Answer {
		switch {
		case b.Status != Confirmed:
			return refuse(InvalidTransition)
		case m.Slots[b.Slot].Status == SlotCancelled:
			return refuse(SlotIsCancelled)
		}
		if b.CheckedIn != (kind == KindCheckedIn) {
			m.must(Step{Kind: kind, Slot: b.Slot, Booking: b.Number})
		}
		return done(b.Number)
	}
}

// editCapacity gives a slot more or fewer seats. Who needs more than there are then is
// blocked at once.
func (m *Model) editCapacity(r Request, _ Booking) Answer {
	switch s := &m.Slots[r.Slot]; {
	case r.Revision != 0 && r.Revision != s.Revision:
		return refuse(VersionMismatch)
	case s.Status == SlotCancelled:
		return refuse(SlotIsCancelled)
	case r.Capacity < s.Taken():
		return refuse(CapacityBelowTaken)
	case r.Capacity != s.Capacity:
		m.must(Step{Kind: KindEdited, Slot: r.Slot, Booking: None, Capacity: r.Capacity})
		for _, b := range s.ready() {
			if b.Needs() > s.Capacity {
				m.must(Step{Kind: KindBlocked, Slot: r.Slot, Booking: b.Number, Blocker: None})
			}
		}
	}
	return done()
}

// editTimes moves a slot to other hours. Who would then have seats at two places loses
// them here, if that is wanted; otherwise nothing changes.
func (m *Model) editTimes(r Request, _ Booking) Answer {
	s := &m.Slots[r.Slot]
	to := r.From + s.To - s.From
	switch {
	case s.Status == SlotCancelled:
		return refuse(SlotIsCancelled)
	case r.From == s.From:
		return done()
	case m.ended(r.Slot):
		return refuse(SlotHasEnded)
	case m.started(r.Slot):
		return refuse(SlotStarted)
	case r.From <= m.Hour:
		return refuse(InvalidTimeRange)
	}
	var busy []int
	for _, b := range s.Seated {
		if m.busyAt(b.Person, r.From, to, b.Number) {
			busy = append(busy, b.Number)
		}
	}
	if len(busy) > 0 && !r.Displace {
		return refuse(EventHasBookings)
	}
	m.must(Step{Kind: KindEdited, Slot: r.Slot, Booking: None, Capacity: s.Capacity, Moves: true, From: r.From, To: to})
	for _, number := range busy {
		m.must(Step{Kind: KindCancelled, Slot: r.Slot, Booking: number})
	}
	return done()
}

// busyAt says whether a person has seats at some hours, without one booking.
func (m *Model) busyAt(person, from, to, except int) bool {
	for i := range m.Slots {
		s := &m.Slots[i]
		if s.From < to && from < s.To && slices.ContainsFunc(s.Seated, func(b Booking) bool { return b.Person == person && b.Number != except }) {
			return true
		}
	}
	return false
}

// editRules changes who is promoted next. Each slot that can still promote is told
// so by an entry of its own.
func (m *Model) editRules(r Request, _ Booking) Answer {
	rules := m.Rules
	rules.Waitlist, rules.FirstFit, rules.MaxPasses = r.Rules.Waitlist, r.Rules.FirstFit, r.Rules.MaxPasses
	isServedOtherwise := rules != m.Rules
	rules.PerBooking, rules.PerUser = r.Rules.PerBooking, r.Rules.PerUser
	waits := slices.ContainsFunc(m.Slots, func(s Slot) bool { return len(s.Queue) > 0 })
	switch {
	case rules == m.Rules:
		return done()
	case rules.Waitlist == Off && waits:
		return refuse(WaitlistInUse)
	}
	m.Rules = rules
	for i := range m.Slots {
		// The limits of seats change nothing of what is there.
		if s := &m.Slots[i]; isServedOtherwise && s.Status != SlotCancelled && !m.started(i) {
			m.must(Step{Kind: KindEdited, Slot: i, Booking: None, Capacity: s.Capacity})
		}
	}
	return done()
}

// setStatus opens or closes a slot for bookings.
func (m *Model) setStatus(r Request, _ Booking) Answer {
	switch s := &m.Slots[r.Slot]; {
	case s.Status == SlotCancelled:
		return refuse(SlotIsCancelled)
	case s.Status != r.Status:
		kind := map[SlotStatus]Kind{Open: KindReopened, Closed: KindClosed}[r.Status]
		m.must(Step{Kind: kind, Slot: r.Slot, Booking: None})
	}
	return done()
}

// cancelSlot ends a slot for good. Its bookings end by themselves (see Rests).
func (m *Model) cancelSlot(r Request, _ Booking) Answer {
	switch {
	case m.Slots[r.Slot].Status == SlotCancelled:
	case m.ended(r.Slot):
		return refuse(SlotHasEnded)
	default:
		m.must(Step{Kind: KindSlotCancelled, Slot: r.Slot, Booking: None})
	}
	return done()
}

// show changes nothing.
func show(_ *Model, _ Request, b Booking) Answer { return done(b.Number) }

// promoteNow asks for what happens by itself.
func promoteNow(*Model, Request, Booking) Answer { return done() }
