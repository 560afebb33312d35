package seed

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// Scenario is a situation with requests to try.
type Scenario struct {
	Name  string
	Steps []Step
}

// Step is a request to try.
type Step struct {
	Email   string // of the user to log in as; "" without login
	Request string // method, path below /api/v1, and body
	Shows   string // what to see in the answer
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
	SeatLimits        = "limits of seats"
)

const dayLong = 24 * time.Hour

// firstBookingAgo is how long ago the first booking of the first event was made. By it
// Recall finds the time of the seed again.
const firstBookingAgo = 9 * dayLong

// addScenarios adds the events of the scenarios, each on its own days, so that
// bookings of different scenarios do not overlap.
func (w *world) addScenarios() {
	w.addFullSlot()
	w.addMixedAvailability()
	w.addChain()
	w.addOverlap()
	w.addUpgrade()
	w.addUpgradeChain()
	w.addHolds()
	w.addOffers()
	w.addFirstFit()
	w.addFewerSeats()
	w.addMove()
	w.addBundle()
	w.addCheckIns()
	w.addCancelledEvent()
	w.addBusy()
	w.addSeatLimits()
}

// scenarioEvent is an event of a scenario with its history.
type scenarioEvent struct {
	*history
	*event
}

// newScenarioEvent publishes an event with its own history.
func (w *world) newScenarioEvent(title, description string, v venue, policy seating.Policy, slots ...slotPlan) scenarioEvent {
	h := w.newHistory()
	return scenarioEvent{h, w.publish(h, plan{
		title: title, description: description, venue: v, owner: w.owner, policy: policy,
		createdAt: w.day(-24, 9, 0, berlin), publishedAt: w.day(-22, 9, 0, berlin), slots: slots,
	})}
}

// slotAt plans a slot some days from today.
func (w *world) slotAt(day, hour int, lasts time.Duration, capacity int) slotPlan {
	return slotPlan{w.day(day, hour, 0, berlin), lasts, capacity}
}

// bookAt books seats for a user some time ago, or joins the waitlist.
func (s scenarioEvent) bookAt(ago time.Duration, slot int, u *user, seats int) seating.Booking {
	s.runUntil(s.world.ago(ago))
	return s.do(s.book(s.slots[slot], u, seats)).Booking
}

// cancelAt cancels a booking some time ago.
func (s scenarioEvent) cancelAt(ago time.Duration, b seating.Booking, by seating.Actor) {
	s.runUntil(s.world.ago(ago))
	s.do(cancel(b, by))
}

// fill books one seat for each of count attendees, beginning with the first, 7 minutes
// apart; the last one a little before ago.
func (s scenarioEvent) fill(ago time.Duration, slot, first, count int) []seating.Booking {
	var made []seating.Booking
	for i := range count {
		made = append(made, s.bookAt(ago+time.Duration(count-i)*7*time.Minute, slot, s.world.attendees[first+i], 1))
	}
	return made
}

// addScenario adds a scenario to the report.
func (w *world) addScenario(name string, steps ...Step) {
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

// addFullSlot adds the event of most examples in openapi.yaml.
func (w *world) addFullSlot() {
	policy := defaultPolicy()
	policy.CancellationCloses, policy.WaitlistLimit = 2*time.Hour, 50
	s := w.newScenarioEvent("Chamber concert", "Two quartets and a quintet.", smallHall, policy,
		w.slotAt(8, 19, 2*time.Hour, 50), w.slotAt(9, 19, 2*time.Hour, 50))
	s.Revision = 3 // edited twice before it was published
	s.cancelAt(8*dayLong, s.bookAt(firstBookingAgo, 0, w.attendees[50], 1), attendee(w.attendees[50]))
	seated := s.fill(6*dayLong, 0, 0, 50)
	first := s.bookAt(5*dayLong, 0, w.attendees[50], 1)
	s.bookAt(4*dayLong, 0, w.attendees[51], 2)
	s.bookAt(3*dayLong, 0, w.busy, 1)
	s.bookAt(2*dayLong, 0, w.attendees[52], 1)
	s.fill(1*dayLong, 1, 60, 12)
	w.addScenario(FullSlot,
		Step{w.visitor.Email, post(`/slots/%s/bookings {"if_full": "reject"}`, s.slots[0]), "409 slot_full: 50 of 50 seats are taken, 4 bookings wait"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"if_full": "waitlist"}`, s.slots[0]), "201 waitlisted, at position 5"},
		Step{w.emailOf(seated[0].UserID), post(`/bookings/%s/cancel {}`, seated[0].ID), "frees a seat, which the first in the queue gets"},
		Step{w.emailOf(first.UserID), get("/bookings/%s", first.ID), "the first in the queue"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {}`, s.slots[1]), "201 confirmed: the second evening has 38 free seats"},
		Step{w.emailOf(seated[1].UserID), get("/bookings/%s/cancellation-preview", seated[1].ID), "one seat would become free, and the first in the queue would get it"},
		Step{w.owner.Email, post(`/slots/%s/simulation {"cancellation_rate": 0.2}`, s.slots[0]), "an estimate of how each waitlist policy would work out"},
	)
}

func (w *world) addMixedAvailability() {
	s := w.newScenarioEvent("Pottery weekend", "Wheel, slab and glaze; one session or several.", venues[2], defaultPolicy(),
		w.slotAt(10, 10, 3*time.Hour, 8), w.slotAt(10, 14, 3*time.Hour, 8), w.slotAt(10, 18, 3*time.Hour, 8),
		w.slotAt(11, 10, 3*time.Hour, 8), w.slotAt(11, 14, 3*time.Hour, 8), w.slotAt(11, 18, 3*time.Hour, 8))
	s.fill(6*dayLong, 1, 0, 4)
	s.fill(5*dayLong, 2, 10, 7)
	s.fill(4*dayLong, 3, 20, 11)
	s.fill(3*dayLong, 4, 40, 3)
	s.setStatusAt(2*dayLong, 4, seating.SlotClosed)
	s.fill(40*time.Hour, 5, 50, 5)
	s.setStatusAt(1*dayLong, 5, seating.SlotCancelled)
	w.addScenario(MixedAvailability,
		Step{"", get("/events/%s/slots", s.ID), "empty, half full, one seat left, full with 3 waiting, closed, cancelled"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"seats": 2}`, s.slots[2]), "409 slot_full: one seat is free"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {}`, s.slots[4]), "409 booking_closed"},
	)
}

// setStatusAt opens, closes or cancels a slot some time ago, and cancels the bookings
// of a cancelled one.
func (s scenarioEvent) setStatusAt(ago time.Duration, slot int, to seating.SlotStatus) {
	s.runUntil(s.world.ago(ago))
	by := organizer(s.owner)
	by.Reason = "The kiln is broken."
	s.do(seating.EditSlot{SlotID: s.slots[slot], Status: &to, By: by})
	if to == seating.SlotCancelled {
		s.cancelBookings(s.slots[slot])
	}
}

// cancelBookings cancels the bookings of a cancelled slot or event, page by page.
func (s scenarioEvent) cancelBookings(slotID uuid.UUID) {
	for more := true; more; {
		more = s.do(seating.CancelAllBookings{SlotID: slotID}).More
	}
}

func (w *world) addChain() {
	s := w.newScenarioEvent("Improv night", "You say a word, they make a scene.", venues[3], defaultPolicy(), w.slotAt(12, 20, 2*time.Hour, 4))
	busys := s.bookAt(9*dayLong, 0, w.busy, 1)
	seated := s.fill(8*dayLong, 0, 60, 3)
	waiting := s.fill(7*dayLong, 0, 63, 5)
	s.cancelAt(5*dayLong, busys, attendee(w.busy))
	s.cancelAt(4*dayLong, waiting[0], attendee(w.attendees[63]))
	s.cancelAt(3*dayLong, waiting[1], attendee(w.attendees[64]))
	w.addScenario(CancellationChain,
		Step{w.emailOf(waiting[2].UserID), get("/bookings/%s/chain", waiting[2].ID), "promoted by the third cancellation in a row"},
		Step{w.emailOf(waiting[2].UserID), get("/bookings/%s/history", waiting[2].ID), "waitlisted, then promoted"},
		Step{w.owner.Email, get("/slots/%s/ledger", s.slots[0]), "all entries, with their causes"},
		Step{w.emailOf(seated[0].UserID), post(`/bookings/%s/cancel {}`, seated[0].ID), fmt.Sprintf("adds to the chain: promotes %s", w.emailOf(waiting[3].UserID))},
	)
}

func (w *world) addOverlap() {
	h := w.newHistory() // one for all three events, because they overlap
	add := func(title, description string, hour, minute, capacity int) scenarioEvent {
		starts := w.day(14, hour, minute, berlin)
		return scenarioEvent{h, w.publish(h, plan{
			title: title, description: description, venue: venues[3], owner: w.owner, policy: defaultPolicy(),
			createdAt: w.day(-24, 9, 0, berlin), publishedAt: w.day(-22, 9, 0, berlin), slots: []slotPlan{{starts, 2 * time.Hour, capacity}},
		})}
	}
	sailing := add("Sailing taster", "Two hours on a dinghy.", 10, 0, 8)
	climbing := add("Climbing course", "From the ground to the top rope.", 11, 0, 10)
	harbour := add("Harbour tour", "By barge, past the cranes.", 11, 30, 3)

	busys := sailing.bookAt(9*dayLong, 0, w.busy, 1)
	sailing.fill(8*dayLong, 0, 70, 3)
	climbing.fill(7*dayLong, 0, 80, 4)
	seated := harbour.fill(6*dayLong, 0, 90, 3)
	blocked := harbour.bookAt(5*dayLong, 0, w.attendees[70], 1) // has the overlapping sailing
	next := harbour.bookAt(4*dayLong, 0, w.attendees[93], 1)
	harbour.bookAt(4*dayLong-time.Hour, 0, w.attendees[94], 1)
	harbour.cancelAt(2*dayLong, seated[0], attendee(w.attendees[90]))
	w.addScenario(OverlappingTimes,
		Step{w.busy.Email, post(`/slots/%s/bookings {}`, climbing.slots[0]), fmt.Sprintf("409 booking_overlap, naming booking %s", busys.ID)},
		Step{w.busy.Email, get("/bookings/%s", busys.ID), "the booking that overlaps"},
		Step{w.emailOf(blocked.UserID), get("/bookings/%s/waitlist-position", blocked.ID), "first in the queue, but blocked by an overlapping booking"},
		Step{w.emailOf(next.UserID), get("/bookings/%s/history", next.ID), "promoted instead of the blocked one"},
	)
}

func (w *world) addUpgrade() {
	s := w.newScenarioEvent("Opera premiere", "At the same hour twice: the gallery, and the stalls.", venues[1], defaultPolicy(),
		w.slotAt(18, 19, 3*time.Hour, 4), w.slotAt(18, 19, 3*time.Hour, 3))
	const gallery, stalls = 0, 1
	kept := s.fill(8*dayLong, gallery, 100, 4)
	seated := s.fill(7*dayLong, stalls, 110, 3)
	var upgrades []seating.Booking
	for i := range 2 {
		upgrades = append(upgrades, s.upgradeAt(6*dayLong-time.Duration(i)*time.Hour, stalls, kept[i]))
	}
	next := s.fill(5*dayLong, gallery, 104, 2)
	s.cancelAt(3*dayLong, seated[0], attendee(w.attendees[110]))
	w.addScenario(KeepAndUpgrade,
		Step{w.emailOf(upgrades[0].UserID), get("/bookings/%s/history", upgrades[0].ID), fmt.Sprintf("promoted to the stalls, which cancelled booking %s in the gallery", kept[0].ID)},
		Step{w.emailOf(next[0].UserID), get("/bookings/%s/chain", next[0].ID), "promoted by that to the gallery: a chain across two slots"},
		Step{w.emailOf(upgrades[1].UserID), get("/bookings/%s", upgrades[1].ID), fmt.Sprintf("waits for the stalls, and keeps booking %s in the gallery until then", kept[1].ID)},
		Step{w.emailOf(seated[1].UserID), post(`/bookings/%s/cancel {}`, seated[1].ID), "completes that upgrade"},
	)
}

// upgradeAt books a seat in another slot, which replaces the one that is kept until
// then.
func (s scenarioEvent) upgradeAt(ago time.Duration, slot int, kept seating.Booking) seating.Booking {
	s.runUntil(s.world.ago(ago))
	u := s.world.userOf(kept)
	c := s.book(s.slots[slot], u, 1)
	c.Replaces, c.ReplacesSlotID = kept.ID, kept.SlotID
	return s.do(c).Booking
}

func (w *world) addUpgradeChain() {
	s := w.newScenarioEvent("Ballet gala", "One evening at four prices: box, stalls, circle, balcony.", venues[1], defaultPolicy(),
		w.slotAt(27, 19, 3*time.Hour, 2), w.slotAt(27, 19, 3*time.Hour, 2), w.slotAt(27, 19, 3*time.Hour, 2), w.slotAt(27, 19, 3*time.Hour, 2))
	var seated [4][]seating.Booking
	for slot := range seated {
		seated[slot] = s.fill(8*dayLong-time.Duration(slot)*time.Hour, slot, 200+2*slot, 2)
	}
	var upgrades []seating.Booking
	for slot := range 3 { // each into the next better one
		upgrades = append(upgrades, s.upgradeAt(6*dayLong-time.Duration(slot)*time.Hour, slot, seated[slot+1][0]))
	}
	last := s.fill(5*dayLong, 3, 208, 1)[0]
	s.cancelAt(3*dayLong, seated[0][0], attendee(w.attendees[200]))
	w.addScenario(UpgradeChain,
		Step{w.emailOf(upgrades[0].UserID), get("/bookings/%s/chain", upgrades[0].ID), "upgraded from the stalls to the box, which made two more upgrades and a promotion possible"},
		Step{w.emailOf(last.UserID), get("/bookings/%s/chain", last.ID), "promoted to the balcony at the end of three upgrades"},
		Step{w.emailOf(seated[3][0].UserID), get("/bookings/%s", seated[3][0].ID), "cancelled, and replaced by a seat in the circle"},
		Step{w.emailOf(seated[3][1].UserID), post(`/slots/%s/bookings {"if_full": "waitlist", "replaces_booking_id": "%s"}`, s.slots[0], seated[3][1].ID),
			"201 waitlisted for the box; the balcony is kept until then"},
	)
}

func (w *world) addHolds() {
	policy := defaultPolicy()
	policy.HoldFor = time.Hour
	s := w.newScenarioEvent("Baking class", "Croissants, from the dough on.", venues[2], policy, w.slotAt(15, 10, 3*time.Hour, 10))
	s.fill(4*dayLong, 0, 160, 4)
	lapsed := s.holdAt(3*dayLong, 0, w.attendees[164], 2)
	kept := s.holdAt(2*dayLong, 0, w.attendees[165], 1)
	s.runUntil(w.ago(2*dayLong - 5*time.Minute))
	s.do(confirm(kept, seating.Held))
	for _, slot := range s.state.Slots() {
		slot.Policy.HoldFor = dayLong // so that there is time to try it
	}
	open := s.holdAt(time.Minute, 0, w.busy, 2)
	w.addScenario(Holds,
		Step{w.busy.Email, post("/bookings/%s/confirm", open.ID), "confirms two seats, which here are held for a day"},
		Step{w.emailOf(lapsed.UserID), get("/bookings/%s/history", lapsed.ID), "held for an hour, then expired"},
		Step{w.emailOf(kept.UserID), get("/bookings/%s/history", kept.ID), "held, then confirmed"},
		Step{w.visitor.Email, post("/slots/%s/holds {}", s.slots[0]), "201 held, for an hour"},
	)
}

// holdAt holds seats for a user some time ago.
func (s scenarioEvent) holdAt(ago time.Duration, slot int, u *user, seats int) seating.Booking {
	s.runUntil(s.world.ago(ago))
	return s.do(seating.Hold{Book: s.book(s.slots[slot], u, seats)}).Booking
}

func (w *world) addOffers() {
	policy := defaultPolicy()
	policy.WaitlistMode, policy.OfferFor = seating.WaitlistOffer, 7*dayLong
	s := w.newScenarioEvent("Wine tasting", "Eight wines; the next in the queue gets an offer.", venues[5], policy,
		w.slotAt(16, 19, 2*time.Hour, 3), w.slotAt(17, 19, 2*time.Hour, 2), w.slotAt(13, 19, 2*time.Hour, 2))
	answered := w.addAnswers(s, 2)
	first := s.fill(14*dayLong, 1, 120, 2)
	late := s.bookAt(13*dayLong, 1, w.busy, 1)
	second := s.fill(12*dayLong, 1, 122, 2)
	s.cancelAt(9*dayLong, first[0], attendee(w.attendees[120])) // offered to the busy user, who does not answer

	seated := s.fill(6*dayLong, 0, 130, 3)
	open := s.bookAt(5*dayLong, 0, w.busy, 1)
	s.fill(4*dayLong, 0, 133, 2)
	s.cancelAt(1*dayLong, seated[0], attendee(w.attendees[130]))
	w.addScenario(Offers,
		Step{w.busy.Email, get("/bookings/%s", open.ID), "offered; the offer is open for six days"},
		Step{w.busy.Email, get("/bookings/%s/history", late.ID), "offered, then expired after a week"},
		Step{w.emailOf(second[0].UserID), get("/bookings/%s/chain", second[0].ID), "offered, because that offer expired"},
		Step{w.busy.Email, post("/bookings/%s/decline", open.ID), "the next in the queue gets an offer"},
		Step{w.emailOf(second[0].UserID), post("/bookings/%s/accept", second[0].ID), "200 confirmed"},
		Step{w.emailOf(answered[0].UserID), get("/bookings/%s/history", answered[0].ID), "offered, then declined"},
		Step{w.emailOf(answered[1].UserID), get("/bookings/%s/history", answered[1].ID), "offered because of that, then accepted"},
	)
}

// addAnswers adds two offers of a slot, of which the first is declined and the second
// accepted.
func (w *world) addAnswers(s scenarioEvent, slot int) []seating.Booking {
	seated := s.fill(20*dayLong, slot, 124, 2)
	waiting := s.fill(19*dayLong, slot, 126, 2)
	s.cancelAt(18*dayLong, seated[0], attendee(w.attendees[124]))
	s.runUntil(w.ago(17 * dayLong))
	s.do(decline(waiting[0]))
	s.runUntil(w.ago(16 * dayLong))
	s.do(confirm(waiting[1], seating.Offered))
	return waiting
}

func (w *world) addFirstFit() {
	policy := defaultPolicy()
	policy.Fit = seating.FitFirstFit
	s := w.newScenarioEvent("Escape room", "Sixty minutes, six people, one key.", venues[8], policy, w.slotAt(20, 17, time.Hour, 6))
	seated := s.fill(6*dayLong, 0, 140, 6)
	large := s.bookAt(5*dayLong, 0, w.attendees[146], 4)
	small := s.bookAt(4*dayLong, 0, w.attendees[147], 1)
	s.bookAt(3*dayLong, 0, w.attendees[148], 1)
	s.cancelAt(1*dayLong, seated[0], attendee(w.attendees[140]))
	w.addScenario(FirstFit,
		Step{w.emailOf(large.UserID), get("/bookings/%s/waitlist-position", large.ID), "waits for 4 seats; passed once, of at most 3 times"},
		Step{w.emailOf(small.UserID), get("/bookings/%s/history", small.ID), "promoted to the only free seat"},
	)
}

func (w *world) addFewerSeats() {
	s := w.newScenarioEvent("Castle by candlelight", "A small group, a long staircase.", venues[7], defaultPolicy(), w.slotAt(23, 19, 2*time.Hour, 6))
	seated := s.fill(8*dayLong, 0, 210, 6)
	s.runUntil(w.ago(7 * dayLong))
	c := s.book(s.slots[0], w.attendees[216], 4)
	c.SeatsMin = 2
	family := s.do(c).Booking
	s.cancelAt(5*dayLong, seated[0], attendee(w.attendees[210])) // one seat is not enough
	s.cancelAt(4*dayLong, seated[1], attendee(w.attendees[211]))
	w.addScenario(FewerSeats,
		Step{w.emailOf(family.UserID), get("/bookings/%s/history", family.ID), "waited for four seats, at least two: promoted with two"},
		Step{w.visitor.Email, post(`/slots/%s/bookings {"seats": 3, "seats_min": 1, "if_full": "waitlist"}`, s.slots[0]), "201 waitlisted, for at least one seat"},
	)
}

func (w *world) addMove() {
	s := w.newScenarioEvent("Salsa course", "The same evening twice.", venues[9], defaultPolicy(),
		w.slotAt(21, 18, 2*time.Hour, 3), w.slotAt(22, 18, 2*time.Hour, 6))
	seated := s.fill(8*dayLong, 0, 220, 3)
	next := s.fill(7*dayLong, 0, 223, 1)[0]
	s.fill(6*dayLong, 1, 224, 2)
	s.runUntil(w.ago(4 * dayLong))
	old := seated[0]
	moved := s.do(seating.Move{SlotID: old.SlotID, BookingID: old.ID, UserID: old.UserID, ToSlotID: s.slots[1],
		NewID: w.id(s.state.Now), By: attendee(w.attendees[220])}).Booking
	w.addScenario(MovedBooking,
		Step{w.emailOf(moved.UserID), get("/bookings/%s", moved.ID), "moved from the first evening"},
		Step{w.emailOf(old.UserID), get("/bookings/%s/history", old.ID), "cancelled by the move"},
		Step{w.emailOf(next.UserID), get("/bookings/%s/chain", next.ID), "promoted to the seat that the move freed"},
		Step{w.emailOf(seated[1].UserID), post(`/bookings/%s/move {"slot_id": "%s"}`, seated[1].ID, s.slots[1]), "201: a new booking of the second evening"},
	)
}

func (w *world) addBundle() {
	s := w.newScenarioEvent("Photo course", "Light, frame, print: three mornings.", venues[6], defaultPolicy(),
		w.slotAt(24, 10, 3*time.Hour, 5), w.slotAt(25, 10, 3*time.Hour, 5), w.slotAt(26, 10, 3*time.Hour, 2))
	s.fill(6*dayLong, 0, 230, 2)
	s.runUntil(w.ago(5 * dayLong))
	u := w.attendees[232]
	var c seating.Bundle
	for _, slotID := range s.slots {
		c.Items = append(c.Items, s.book(slotID, u, 1))
	}
	made := s.do(c).Items
	s.fill(4*dayLong, 2, 233, 1)
	w.addScenario(SeveralSlots,
		Step{u.Email, get("/bookings/%s", made[0].Booking.ID), "one of three bookings made by one request"},
		Step{w.visitor.Email, post(`/bookings {"items": [{"slot_id": "%s"}, {"slot_id": "%s"}]}`, s.slots[0], s.slots[2]), "409 slot_full: the third morning is full, so nothing is booked"},
		Step{w.visitor.Email, post(`/bookings {"items": [{"slot_id": "%s"}, {"slot_id": "%s"}]}`, s.slots[0], s.slots[1]), "201: both are confirmed"},
	)
}

func (w *world) addCheckIns() {
	s := w.newScenarioEvent("Autumn lecture", "Why leaves fall.", venues[10], defaultPolicy(), w.slotAt(-5, 19, 90*time.Minute, 30))
	came := s.fill(12*dayLong, 0, 170, 9)
	busys := s.bookAt(11*dayLong, 0, w.busy, 2)
	s.runUntil(w.day(-5, 18, 50, berlin))
	for _, b := range append(came[:7:7], busys) {
		s.do(checkIn(b, w.owner, false))
	}
	s.do(checkIn(came[6], w.owner, true)) // the wrong person
	w.addScenario(CheckIns,
		Step{w.owner.Email, get("/slots/%s/bookings", s.slots[0]), "seven of ten bookings are checked in"},
		Step{w.emailOf(came[6].UserID), get("/bookings/%s/history", came[6].ID), "checked in by mistake, then undone"},
		Step{w.owner.Email, post("/bookings/%s/check-in", came[6].ID), "200 checked in"},
		Step{w.busy.Email, get("/bookings/%s", busys.ID), "checked in"},
	)
}

func (w *world) addCancelledEvent() {
	s := w.newScenarioEvent("Open-air cinema", "Bring a blanket.", venues[4], defaultPolicy(), w.slotAt(19, 20, 3*time.Hour, 12))
	seated := s.fill(6*dayLong, 0, 150, 14)
	at := w.ago(2 * dayLong)
	s.runUntil(at)
	reason := "Storm is forecast."
	s.Status, s.CancelledAt, s.CancellationReason = string(seating.EventCancelled), &at, &reason
	s.Revision, s.UpdatedAt = 2, at
	for _, slot := range s.state.Slots() {
		slot.EventStatus = seating.EventCancelled
		s.cancelBookings(slot.ID)
	}
	w.addScenario(CancelledEvent,
		Step{"", get("/events/%s", s.ID), "cancelled, with the reason"},
		Step{w.emailOf(seated[0].UserID), get("/bookings/%s/history", seated[0].ID), "cancelled with the event"},
	)
}

// addBusy adds past bookings of the busy user, and lists all of them.
func (w *world) addBusy() {
	museum := w.newScenarioEvent("Museum at night", "With the lights out.", venues[7], defaultPolicy(), w.slotAt(-7, 21, 2*time.Hour, 20))
	museum.fill(14*dayLong, 0, 180, 6)
	missed := museum.bookAt(13*dayLong, 0, w.busy, 1)
	museum.cancelAt(10*dayLong, missed, attendee(w.busy))
	dinner := w.newScenarioEvent("Harvest dinner", "One table, everything from the field next door.", venues[4], defaultPolicy(), w.slotAt(-4, 18, 4*time.Hour, 6))
	dinner.fill(12*dayLong, 0, 190, 6)
	dinner.bookAt(11*dayLong, 0, w.busy, 1)

	w.runToNow() // for the final statuses
	w.addScenario(BusyUser, Step{w.busy.Email, get("/me/bookings"), "a booking in every status, past and upcoming"})
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
