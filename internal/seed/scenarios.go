package seed

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// Scenario is a situation that one can look at and try.
type Scenario struct {
	Name  string
	Steps []Step
}

// Step is one thing to try: as whom, by which request, and what it shows.
type Step struct {
	Email   string // nobody in particular: empty
	Request string // method, path below /api/v1, and body
	Shows   string
}

// The names of the scenarios.
const (
	FullSlot          = "full slot, waitlist overflow"
	MixedAvailability = "mixed availability"
	CancellationChain = "cancellation chain"
	BusyUser          = "busy user"
	OverlappingTimes  = "overlapping times"
	KeepAndUpgrade    = "keep and upgrade"
	UpgradeChain      = "chain of upgrades"
	Holds             = "holds"
	Offers            = "offers"
	FirstFit          = "first fit, with passes"
	FewerSeats        = "fewer seats than asked for"
	MovedBooking      = "moved booking"
	SeveralSlots      = "several slots at once"
	CheckIns          = "check-ins"
	CancelledEvent    = "cancelled event"
)

const dayLong = 24 * time.Hour

// playScenarios makes the events of the scenarios, on days of their own: nobody
// is busy with anything that a scenario does not say.
func (w *world) playScenarios() {
	w.playFullSlot()
	w.playMixedAvailability()
	w.playChain()
	w.playOverlap()
	w.playUpgrade()
	w.playUpgradeChain()
	w.playHolds()
	w.playOffers()
	w.playFirstFit()
	w.playFewerSeats()
	w.playMove()
	w.playBundle()
	w.playCheckIns()
	w.playCancelledEvent()
	w.playBusy()
}

// stage is an event of a scenario with its history.
type stage struct {
	*history
	*event
}

// stage publishes an event whose slots are some days from today, at a time of day.
func (w *world) stage(title, description string, v venue, policy seating.Policy, slots ...session) stage {
	h := w.newHistory()
	return stage{h, w.publish(h, plan{
		title: title, description: description, venue: v, owner: w.owner, policy: policy,
		createdAt: w.day(-24, 9, 0, berlin), publishedAt: w.day(-22, 9, 0, berlin), slots: slots,
	})}
}

func (w *world) session(day, hour int, lasts time.Duration, capacity int) session {
	return session{w.day(day, hour, 0, berlin), lasts, capacity}
}

// books lets a user ask for seats at a time, and says what came of it.
func (s stage) books(ago time.Duration, slot int, u *user, seats int) seating.Booking {
	s.tell(s.world.ago(ago))
	return s.do(s.book(s.slots[slot], u, seats)).Booking
}

// leaves lets a user cancel a booking at a time.
func (s stage) leaves(ago time.Duration, b seating.Booking, by seating.Actor) {
	s.tell(s.world.ago(ago))
	s.do(cancel(b, by))
}

// fill lets so many users, from the first on, book one seat each, a few minutes
// apart; the last of them does some time before now.
func (s stage) fill(ago time.Duration, slot, first, count int) []seating.Booking {
	var made []seating.Booking
	for i := range count {
		made = append(made, s.books(ago+time.Duration(count-i)*7*time.Minute, slot, s.world.attendees[first+i], 1))
	}
	return made
}

// scenario adds a scenario to the report.
func (w *world) scenario(name string, steps ...Step) {
	w.scenarios = append(w.scenarios, Scenario{name, steps})
}

func (w *world) emailOf(userID uuid.UUID) string {
	i := slices.IndexFunc(w.users, func(u *user) bool { return u.ID == userID })
	return w.users[i].Email
}

func (w *world) userOf(b seating.Booking) *user {
	i := slices.IndexFunc(w.users, func(u *user) bool { return u.ID == b.UserID })
	return w.users[i]
}

func get(path string, args ...any) string { return "GET " + fmt.Sprintf(path, args...) }

func post(path string, args ...any) string { return "POST " + fmt.Sprintf(path, args...) }

// playFullSlot is what the examples of openapi.yaml are of.
func (w *world) playFullSlot() {
	policy := defaultPolicy()
	policy.CancellationCloses, policy.WaitlistLimit = 2*time.Hour, 50
	s := w.stage("Chamber concert", "Two quartets and a quintet.", smallHall, policy,
		w.session(8, 19, 2*time.Hour, 50), w.session(9, 19, 2*time.Hour, 50))
	s.Revision = 3 // edited twice before it was published
	s.leaves(8*dayLong, s.books(9*dayLong, 0, w.attendees[50], 1), attendee(w.attendees[50]))
	seated := s.fill(6*dayLong, 0, 0, 50)
	first := s.books(5*dayLong, 0, w.attendees[50], 1)
	s.books(4*dayLong, 0, w.attendees[51], 2)
	s.books(3*dayLong, 0, w.busy, 1)
	s.books(2*dayLong, 0, w.attendees[52], 1)
	s.fill(1*dayLong, 1, 60, 12)
	w.scenario(FullSlot,
		Step{w.visitor.Email, post(`/slots/%s/bookings {"if_full": "reject"}`, s.slots[0]), "409 slot_full: 50 of 50 seats are taken, 4 bookings wait"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"if_full": "waitlist"}`, s.slots[0]), "201 waitlisted, at position 5"},
		Step{w.emailOf(seated[0].UserID), post(`/bookings/%s/cancel {}`, seated[0].ID), "gives a seat back: the first in the queue gets it"},
		Step{w.emailOf(first.UserID), get("/bookings/%s", first.ID), "the first in the queue"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {}`, s.slots[1]), "201 confirmed: the second evening has 38 free seats"},
		Step{w.emailOf(seated[1].UserID), get("/bookings/%s/cancellation-preview", seated[1].ID), "one seat would be free, and one who waits would get it"},
		Step{w.owner.Email, post(`/slots/%s/simulation {"cancellation_rate": 0.2}`, s.slots[0]), "what the policies would make of that: an estimate"},
	)
}

func (w *world) playMixedAvailability() {
	s := w.stage("Pottery weekend", "Wheel, slab and glaze; one session or several.", venues[2], defaultPolicy(),
		w.session(10, 10, 3*time.Hour, 8), w.session(10, 14, 3*time.Hour, 8), w.session(10, 18, 3*time.Hour, 8),
		w.session(11, 10, 3*time.Hour, 8), w.session(11, 14, 3*time.Hour, 8), w.session(11, 18, 3*time.Hour, 8))
	s.fill(6*dayLong, 1, 0, 4)
	s.fill(5*dayLong, 2, 10, 7)
	s.fill(4*dayLong, 3, 20, 11)
	s.fill(3*dayLong, 4, 40, 3)
	s.restate(2*dayLong, 4, seating.SlotClosed)
	s.fill(40*time.Hour, 5, 50, 5)
	s.restate(1*dayLong, 5, seating.SlotCancelled)
	w.scenario(MixedAvailability,
		Step{"", get("/events/%s/slots", s.ID), "empty, half full, one seat left, full with 3 waiting, closed, cancelled"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"seats": 2}`, s.slots[2]), "409 slot_full: one seat is free"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {}`, s.slots[4]), "409 booking_closed"},
	)
}

// restate lets the organizer open, close or cancel a slot; the bookings of a
// cancelled one go.
func (s stage) restate(ago time.Duration, slot int, to seating.SlotStatus) {
	s.tell(s.world.ago(ago))
	by := organizer(s.owner)
	by.Reason = "The kiln is broken."
	s.do(seating.EditSlot{SlotID: s.slots[slot], Status: &to, By: by})
	if to == seating.SlotCancelled {
		s.clear(s.slots[slot])
	}
}

// clear cancels the bookings of a slot that was cancelled, page by page.
func (s stage) clear(slotID uuid.UUID) {
	for more := true; more; {
		more = s.do(seating.CancelAllBookings{SlotID: slotID}).More
	}
}

func (w *world) playChain() {
	s := w.stage("Improv night", "You say a word, they make a scene.", venues[3], defaultPolicy(), w.session(12, 20, 2*time.Hour, 4))
	busys := s.books(9*dayLong, 0, w.busy, 1)
	seated := s.fill(8*dayLong, 0, 60, 3)
	waiting := s.fill(7*dayLong, 0, 63, 5)
	s.leaves(5*dayLong, busys, attendee(w.busy))
	s.leaves(4*dayLong, waiting[0], attendee(w.attendees[63]))
	s.leaves(3*dayLong, waiting[1], attendee(w.attendees[64]))
	w.scenario(CancellationChain,
		Step{w.emailOf(waiting[2].UserID), get("/bookings/%s/chain", waiting[2].ID), "promoted by the third cancellation in a row"},
		Step{w.emailOf(waiting[2].UserID), get("/bookings/%s/history", waiting[2].ID), "waitlisted, then promoted"},
		Step{w.owner.Email, get("/slots/%s/ledger", s.slots[0]), "every entry, with causes"},
		Step{w.emailOf(seated[0].UserID), post(`/bookings/%s/cancel {}`, seated[0].ID), fmt.Sprintf("the next link: promotes %s", w.emailOf(waiting[3].UserID))},
	)
}

func (w *world) playOverlap() {
	h := w.newHistory() // one for the three, because they overlap
	add := func(title, description string, hour, minute, capacity int) stage {
		starts := w.day(14, hour, minute, berlin)
		return stage{h, w.publish(h, plan{
			title: title, description: description, venue: venues[3], owner: w.owner, policy: defaultPolicy(),
			createdAt: w.day(-24, 9, 0, berlin), publishedAt: w.day(-22, 9, 0, berlin), slots: []session{{starts, 2 * time.Hour, capacity}},
		})}
	}
	sailing := add("Sailing taster", "Two hours on a dinghy.", 10, 0, 8)
	climbing := add("Climbing course", "From the ground to the top rope.", 11, 0, 10)
	harbour := add("Harbour tour", "By barge, past the cranes.", 11, 30, 3)

	busys := sailing.books(9*dayLong, 0, w.busy, 1)
	sailing.fill(8*dayLong, 0, 70, 3)
	climbing.fill(7*dayLong, 0, 80, 4)
	seated := harbour.fill(6*dayLong, 0, 90, 3)
	blocked := harbour.books(5*dayLong, 0, w.attendees[70], 1) // sails already
	next := harbour.books(4*dayLong, 0, w.attendees[93], 1)
	harbour.books(4*dayLong-time.Hour, 0, w.attendees[94], 1)
	harbour.leaves(2*dayLong, seated[0], attendee(w.attendees[90]))
	w.scenario(OverlappingTimes,
		Step{w.busy.Email, post(`/slots/%s/bookings {}`, climbing.slots[0]), fmt.Sprintf("409 booking_overlap, naming booking %s", busys.ID)},
		Step{w.busy.Email, get("/bookings/%s", busys.ID), "the seats that are in the way"},
		Step{w.emailOf(blocked.UserID), get("/bookings/%s/waitlist-position", blocked.ID), "first in the queue, but blocked by seats elsewhere"},
		Step{w.emailOf(next.UserID), get("/bookings/%s/history", next.ID), "promoted in place of the one who is blocked"},
	)
}

func (w *world) playUpgrade() {
	s := w.stage("Opera premiere", "At the same hour twice: the gallery, and the stalls.", venues[1], defaultPolicy(),
		w.session(18, 19, 3*time.Hour, 4), w.session(18, 19, 3*time.Hour, 3))
	const gallery, stalls = 0, 1
	kept := s.fill(8*dayLong, gallery, 100, 4)
	seated := s.fill(7*dayLong, stalls, 110, 3)
	var upgrades []seating.Booking
	for i := range 2 {
		upgrades = append(upgrades, s.upgrades(6*dayLong-time.Duration(i)*time.Hour, stalls, kept[i]))
	}
	next := s.fill(5*dayLong, gallery, 104, 2)
	s.leaves(3*dayLong, seated[0], attendee(w.attendees[110]))
	w.scenario(KeepAndUpgrade,
		Step{w.emailOf(upgrades[0].UserID), get("/bookings/%s/history", upgrades[0].ID), fmt.Sprintf("promoted to the stalls; gave booking %s in the gallery back", kept[0].ID)},
		Step{w.emailOf(next[0].UserID), get("/bookings/%s/chain", next[0].ID), "got the seat in the gallery by that: a chain over two slots"},
		Step{w.emailOf(upgrades[1].UserID), get("/bookings/%s", upgrades[1].ID), fmt.Sprintf("waits for the stalls, keeps booking %s in the gallery until then", kept[1].ID)},
		Step{w.emailOf(seated[1].UserID), post(`/bookings/%s/cancel {}`, seated[1].ID), "upgrades that one too"},
	)
}

// upgrades lets a user ask for a seat in another slot in place of the one that is kept until then.
func (s stage) upgrades(ago time.Duration, slot int, kept seating.Booking) seating.Booking {
	s.tell(s.world.ago(ago))
	u := s.world.userOf(kept)
	c := s.book(s.slots[slot], u, 1)
	c.Replaces, c.ReplacesSlotID = kept.ID, kept.SlotID
	return s.do(c).Booking
}

func (w *world) playUpgradeChain() {
	s := w.stage("Ballet gala", "One evening at four prices: box, stalls, circle, balcony.", venues[1], defaultPolicy(),
		w.session(27, 19, 3*time.Hour, 2), w.session(27, 19, 3*time.Hour, 2), w.session(27, 19, 3*time.Hour, 2), w.session(27, 19, 3*time.Hour, 2))
	var seated [4][]seating.Booking
	for slot := range seated {
		seated[slot] = s.fill(8*dayLong-time.Duration(slot)*time.Hour, slot, 200+2*slot, 2)
	}
	var upgrades []seating.Booking
	for slot := range 3 { // each into the next better one
		upgrades = append(upgrades, s.upgrades(6*dayLong-time.Duration(slot)*time.Hour, slot, seated[slot+1][0]))
	}
	last := s.fill(5*dayLong, 3, 208, 1)[0]
	s.leaves(3*dayLong, seated[0][0], attendee(w.attendees[200]))
	w.scenario(UpgradeChain,
		Step{w.emailOf(upgrades[0].UserID), get("/bookings/%s/chain", upgrades[0].ID), "from the stalls to the box, which moved two more up and let one in"},
		Step{w.emailOf(last.UserID), get("/bookings/%s/chain", last.ID), "got a seat on the balcony at the end of three upgrades"},
		Step{w.emailOf(seated[3][0].UserID), get("/bookings/%s", seated[3][0].ID), "cancelled, and replaced by a seat in the circle"},
		Step{w.emailOf(seated[3][1].UserID), post(`/slots/%s/bookings {"if_full": "waitlist", "replaces_booking_id": "%s"}`, s.slots[0], seated[3][1].ID),
			"201 waitlisted for the box; the balcony is kept until then"},
	)
}

func (w *world) playHolds() {
	policy := defaultPolicy()
	policy.HoldFor = time.Hour
	s := w.stage("Baking class", "Croissants, from the dough on.", venues[2], policy, w.session(15, 10, 3*time.Hour, 10))
	s.fill(4*dayLong, 0, 160, 4)
	lapsed := s.holds(3*dayLong, 0, w.attendees[164], 2)
	kept := s.holds(2*dayLong, 0, w.attendees[165], 1)
	s.tell(w.ago(2*dayLong - 5*time.Minute))
	s.do(confirm(kept, seating.Held))
	for _, slot := range s.state.Slots() {
		slot.Policy.HoldFor = dayLong // There must be time to look at it.
	}
	open := s.holds(time.Minute, 0, w.busy, 2)
	w.scenario(Holds,
		Step{w.busy.Email, post("/bookings/%s/confirm", open.ID), "two seats are held for a day, for once: makes them a booking"},
		Step{w.emailOf(lapsed.UserID), get("/bookings/%s/history", lapsed.ID), "held for an hour, then expired"},
		Step{w.emailOf(kept.UserID), get("/bookings/%s/history", kept.ID), "held, then confirmed"},
		Step{w.visitor.Email, post("/slots/%s/holds {}", s.slots[0]), "201 held, for an hour"},
	)
}

// holds lets a user ask at a time for seats to be held.
func (s stage) holds(ago time.Duration, slot int, u *user, seats int) seating.Booking {
	s.tell(s.world.ago(ago))
	return s.do(seating.Hold{Book: s.book(s.slots[slot], u, seats)}).Booking
}

func (w *world) playOffers() {
	policy := defaultPolicy()
	policy.WaitlistMode, policy.OfferFor = seating.WaitlistOffer, 7*dayLong
	s := w.stage("Wine tasting", "Eight wines; who is next in the queue is asked first.", venues[5], policy,
		w.session(16, 19, 2*time.Hour, 3), w.session(17, 19, 2*time.Hour, 2), w.session(13, 19, 2*time.Hour, 2))
	answered := w.playAnswers(s, 2)
	first := s.fill(14*dayLong, 1, 120, 2)
	late := s.books(13*dayLong, 1, w.busy, 1)
	second := s.fill(12*dayLong, 1, 122, 2)
	s.leaves(9*dayLong, first[0], attendee(w.attendees[120])) // offered to busy, who does not answer for a week

	seated := s.fill(6*dayLong, 0, 130, 3)
	open := s.books(5*dayLong, 0, w.busy, 1)
	s.fill(4*dayLong, 0, 133, 2)
	s.leaves(1*dayLong, seated[0], attendee(w.attendees[130]))
	w.scenario(Offers,
		Step{w.busy.Email, get("/bookings/%s", open.ID), "offered, and open for six days"},
		Step{w.busy.Email, get("/bookings/%s/history", late.ID), "an offer that was not taken in a week: expired"},
		Step{w.emailOf(second[0].UserID), get("/bookings/%s/chain", second[0].ID), "offered next, because that one expired"},
		Step{w.busy.Email, post("/bookings/%s/decline", open.ID), "the next in the queue is asked"},
		Step{w.emailOf(second[0].UserID), post("/bookings/%s/accept", second[0].ID), "200 confirmed"},
		Step{w.emailOf(answered[0].UserID), get("/bookings/%s/history", answered[0].ID), "offered, and declined"},
		Step{w.emailOf(answered[1].UserID), get("/bookings/%s/history", answered[1].ID), "offered because of that, and accepted"},
	)
}

// playAnswers lets two who wait for a slot answer their offers: no, and yes.
func (w *world) playAnswers(s stage, slot int) []seating.Booking {
	seated := s.fill(20*dayLong, slot, 124, 2)
	waiting := s.fill(19*dayLong, slot, 126, 2)
	s.leaves(18*dayLong, seated[0], attendee(w.attendees[124]))
	s.tell(w.ago(17 * dayLong))
	s.do(decline(waiting[0]))
	s.tell(w.ago(16 * dayLong))
	s.do(confirm(waiting[1], seating.Offered))
	return waiting
}

func (w *world) playFirstFit() {
	policy := defaultPolicy()
	policy.Fit = seating.FitFirstFit
	s := w.stage("Escape room", "Sixty minutes, six people, one key.", venues[8], policy, w.session(20, 17, time.Hour, 6))
	seated := s.fill(6*dayLong, 0, 140, 6)
	large := s.books(5*dayLong, 0, w.attendees[146], 4)
	small := s.books(4*dayLong, 0, w.attendees[147], 1)
	s.books(3*dayLong, 0, w.attendees[148], 1)
	s.leaves(1*dayLong, seated[0], attendee(w.attendees[140]))
	w.scenario(FirstFit,
		Step{w.emailOf(large.UserID), get("/bookings/%s/waitlist-position", large.ID), "waits for 4 seats, and was passed once, of 3 times at most"},
		Step{w.emailOf(small.UserID), get("/bookings/%s/history", small.ID), "fitted into the one free seat"},
	)
}

func (w *world) playFewerSeats() {
	s := w.stage("Castle by candlelight", "A small group, a long staircase.", venues[7], defaultPolicy(), w.session(23, 19, 2*time.Hour, 6))
	seated := s.fill(8*dayLong, 0, 210, 6)
	s.tell(w.ago(7 * dayLong))
	c := s.book(s.slots[0], w.attendees[216], 4)
	c.SeatsMin = 2
	family := s.do(c).Booking
	s.leaves(5*dayLong, seated[0], attendee(w.attendees[210])) // one seat is not enough
	s.leaves(4*dayLong, seated[1], attendee(w.attendees[211]))
	w.scenario(FewerSeats,
		Step{w.emailOf(family.UserID), get("/bookings/%s/history", family.ID), "waited for four seats, or two at least: promoted with two"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"seats": 3, "seats_min": 1, "if_full": "waitlist"}`, s.slots[0]), "201 waitlisted, for one seat at least"},
	)
}

func (w *world) playMove() {
	s := w.stage("Salsa course", "The same evening twice.", venues[9], defaultPolicy(),
		w.session(21, 18, 2*time.Hour, 3), w.session(22, 18, 2*time.Hour, 6))
	seated := s.fill(8*dayLong, 0, 220, 3)
	next := s.fill(7*dayLong, 0, 223, 1)[0]
	s.fill(6*dayLong, 1, 224, 2)
	s.tell(w.ago(4 * dayLong))
	old := seated[0]
	moved := s.do(seating.Move{SlotID: old.SlotID, BookingID: old.ID, UserID: old.UserID, ToSlotID: s.slots[1],
		NewID: w.id(s.state.Now), By: attendee(w.attendees[220])}).Booking
	w.scenario(MovedBooking,
		Step{w.emailOf(moved.UserID), get("/bookings/%s", moved.ID), "made from the booking of the first evening"},
		Step{w.emailOf(old.UserID), get("/bookings/%s/history", old.ID), "moved: this one is cancelled"},
		Step{w.emailOf(next.UserID), get("/bookings/%s/chain", next.ID), "got the seat that the move gave back"},
		Step{w.emailOf(seated[1].UserID), post(`/bookings/%s/move {"slot_id": "%s"}`, seated[1].ID, s.slots[1]), "201: a new booking, of the second evening"},
	)
}

func (w *world) playBundle() {
	s := w.stage("Photo course", "Light, frame, print: three mornings.", venues[6], defaultPolicy(),
		w.session(24, 10, 3*time.Hour, 5), w.session(25, 10, 3*time.Hour, 5), w.session(26, 10, 3*time.Hour, 2))
	s.fill(6*dayLong, 0, 230, 2)
	s.tell(w.ago(5 * dayLong))
	u := w.attendees[232]
	var c seating.Bundle
	for _, slotID := range s.slots {
		c.Items = append(c.Items, s.book(slotID, u, 1))
	}
	made := s.do(c).Items
	s.fill(4*dayLong, 2, 233, 1)
	w.scenario(SeveralSlots,
		Step{u.Email, get("/bookings/%s", made[0].Booking.ID), "one of three that were made at once"},
		Step{w.visitor.Email, post(`/bookings {"items": [{"slot_id": "%s"}, {"slot_id": "%s"}]}`, s.slots[0], s.slots[2]), "409 slot_full: the third morning is, so nothing is booked"},
		Step{w.visitor.Email, post(`/bookings {"items": [{"slot_id": "%s"}, {"slot_id": "%s"}]}`, s.slots[0], s.slots[1]), "201: both are confirmed"},
	)
}

func (w *world) playCheckIns() {
	s := w.stage("Autumn lecture", "Why leaves fall.", venues[10], defaultPolicy(), w.session(-5, 19, 90*time.Minute, 30))
	came := s.fill(12*dayLong, 0, 170, 9)
	busys := s.books(11*dayLong, 0, w.busy, 2)
	s.tell(w.day(-5, 18, 50, berlin))
	for _, b := range append(came[:7:7], busys) {
		s.do(checkIn(b, w.owner, false))
	}
	s.do(checkIn(came[6], w.owner, true)) // the wrong person
	w.scenario(CheckIns,
		Step{w.owner.Email, get("/slots/%s/bookings", s.slots[0]), "seven of ten bookings are checked in"},
		Step{w.emailOf(came[6].UserID), get("/bookings/%s/history", came[6].ID), "checked in by mistake, and taken back"},
		Step{w.owner.Email, post("/bookings/%s/check-in", came[6].ID), "200: the right one, later"},
		Step{w.busy.Email, get("/bookings/%s", busys.ID), "was there"},
	)
}

func (w *world) playCancelledEvent() {
	s := w.stage("Open-air cinema", "Bring a blanket.", venues[4], defaultPolicy(), w.session(19, 20, 3*time.Hour, 12))
	seated := s.fill(6*dayLong, 0, 150, 14)
	at := w.ago(2 * dayLong)
	s.tell(at)
	reason := "Storm is forecast."
	s.Status, s.CancelledAt, s.CancellationReason = string(seating.EventCancelled), &at, &reason
	s.Revision, s.UpdatedAt = 2, at
	for _, slot := range s.state.Slots() {
		slot.EventStatus = seating.EventCancelled
		s.clear(slot.ID)
	}
	w.scenario(CancelledEvent,
		Step{"", get("/events/%s", s.ID), "cancelled, with the reason"},
		Step{w.emailOf(seated[0].UserID), get("/bookings/%s/history", seated[0].ID), "cancelled with the event"},
	)
}

// playBusy gives the busy user what the other scenarios did not: more of a past.
func (w *world) playBusy() {
	museum := w.stage("Museum at night", "With the lights out.", venues[7], defaultPolicy(), w.session(-7, 21, 2*time.Hour, 20))
	museum.fill(14*dayLong, 0, 180, 6)
	missed := museum.books(13*dayLong, 0, w.busy, 1)
	museum.leaves(10*dayLong, missed, attendee(w.busy))
	dinner := w.stage("Harvest dinner", "One table, everything from the field next door.", venues[4], defaultPolicy(), w.session(-4, 18, 4*time.Hour, 6))
	dinner.fill(12*dayLong, 0, 190, 6)
	dinner.books(11*dayLong, 0, w.busy, 1)

	w.tell() // what became of them
	w.scenario(BusyUser, Step{w.busy.Email, get("/me/bookings"), "a booking in every status, past and upcoming"})
	busy := &w.scenarios[len(w.scenarios)-1]
	for _, h := range w.histories {
		for _, b := range h.state.Bookings() {
			if b.UserID == w.busy.ID {
				busy.Steps = append(busy.Steps, Step{w.busy.Email, get("/bookings/%s", b.ID),
					fmt.Sprintf("%s, for %s", b.Status, b.StartsAt.Format(time.DateOnly))})
			}
		}
	}
}
