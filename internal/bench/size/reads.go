//go:build unix

package size

import (
	"net/url"
	"time"

	"eventbooking/internal/proof/lab"
)

// read is a request that changes nothing.
type read struct {
	name, path string
	as         lab.Person
}

// reads are all reads of the API whose cost could depend on how much there is, about
// the landmarks of a database.
func reads(l Landmarks, now time.Time) (all []read) {
	for _, group := range [][]read{eventLists(l, now), eventReads(l), bookingReads(l), ownReads(l, now)} {
		all = append(all, group...)
	}
	return all
}

// eventLists are the lists of events: each phase in each order and with each filter.
func eventLists(l Landmarks, now time.Time) (all []read) {
	list := func(name, query string, as lab.Person) {
		all = append(all, read{"events " + name, "/events?" + query, as})
	}
	nobody := lab.Person{}
	for _, when := range []string{"upcoming", "ongoing", "past", "all"} {
		for _, sort := range []string{"starts_at", "-starts_at", "created_at", "-created_at"} {
			list(when+" "+sort, "when="+when+"&sort="+sort, nobody)
		}
		for _, filter := range [][2]string{
			{"available", "available=true"}, {"not available", "available=false"},
			{"frequent word", "q=" + FrequentWord}, {"frequent word, newest", "sort=-created_at&q=" + FrequentWord},
			{"word of the first event", "q=" + FirstWord}, {"word of the last event", "q=" + LastWord}, {"word of none", "q=unheardof"},
			{"of an organizer of many", "organizer_id=" + l.Many.ID.String()}, {"of an organizer of few", "organizer_id=" + l.Few.ID.String()},
			{"of an organizer of few, newest", "sort=-created_at&organizer_id=" + l.Few.ID.String()},
			{"of an organizer of none", "organizer_id=" + l.Regular.ID.String()},
			{"of an organizer of many with a word", "q=" + FrequentWord + "&organizer_id=" + l.Many.ID.String()},
		} {
			list(when+" "+filter[0], "when="+when+"&"+filter[1], nobody)
		}
	}
	day := func(days int) string {
		return url.QueryEscape(now.AddDate(0, 0, days).UTC().Format(time.RFC3339))
	}
	list("from today", "when=all&from="+day(0), nobody)
	list("from the last days", "when=all&from="+day(330), nobody)
	list("to a year ago", "when=all&to="+day(-365), nobody)
	list("to a year ago, latest", "when=all&sort=-starts_at&to="+day(-365), nobody)
	list("of a week two years ago", "when=all&from="+day(-730)+"&to="+day(-723), nobody)
	list("of next week", "from="+day(7)+"&to="+day(14), nobody)
	list("of next week, available, with a word", "available=true&q="+FrequentWord+"&from="+day(7)+"&to="+day(14), nobody)
	list("to an organizer", "when=all&sort=-created_at", l.Many)
	list("to an organizer, own", "when=all&organizer_id="+l.Many.ID.String(), l.Many)
	list("to an admin", "when=all&sort=-starts_at", l.Admin)
	return all
}

// eventReads are the reads of single events and slots, and of what belongs to them.
func eventReads(l Landmarks) []read {
	event, queue, crowd := "/events/"+l.HotEvent.String(), "/slots/"+l.Queue.String(), "/slots/"+l.Crowd.String()
	return []read{
		{"event", "/events/" + l.Plain.String(), lab.Person{}},
		{"event with the hot slots", event, lab.Person{}},
		{"slots of an event", "/events/" + l.Plain.String() + "/slots", lab.Person{}},
		{"slot", "/slots/" + l.PlainSlot.String(), lab.Person{}},
		{"slot with the long queue", queue, lab.Person{}},
		{"ledger of the slot with the queue", queue + "/ledger", l.Hot},
		{"ledger of the full slot", crowd + "/ledger", l.Hot},
		{"bookings of the event", event + "/bookings", l.Hot},
		{"bookings of the event, waiting", event + "/bookings?status=waitlisted", l.Hot},
		{"bookings of the event, cancelled", event + "/bookings?status=cancelled", l.Hot},
		{"bookings of the slot with the queue", queue + "/bookings", l.Hot},
		{"bookings of the slot with the queue, waiting", queue + "/bookings?status=waitlisted", l.Hot},
		{"bookings of the slot with the queue, cancelled", queue + "/bookings?status=cancelled", l.Hot},
		{"bookings of the full slot", crowd + "/bookings", l.Hot},
		{"bookings of the full slot, held", crowd + "/bookings?status=held", l.Hot},
		{"queue", queue + "/waitlist", l.Hot},
	}
}

// bookingReads are the reads of single bookings.
func bookingReads(l Landmarks) []read {
	waiting, old := "/bookings/"+l.Waiting.String(), "/bookings/"+l.Old.String()
	return []read{
		{"waiting booking", waiting, l.Waiter},
		{"place of a waiting booking", waiting + "/waitlist-position", l.Waiter},
		{"history of a waiting booking", waiting + "/history", l.Waiter},
		{"chain of a waiting booking", waiting + "/chain", l.Waiter},
		{"preview of leaving the queue", waiting + "/cancellation-preview", l.Waiter},
		{"preview of a cancellation ahead of the queue", "/bookings/" + l.Seated.String() + "/cancellation-preview", l.Hot},
		{"past booking", old, l.Regular},
		{"history of a past booking", old + "/history", l.Regular},
	}
}

// ownReads are the reads of users: of themselves, and of all by an admin.
func ownReads(l Landmarks, now time.Time) []read {
	at := func(days int) string {
		return url.QueryEscape(now.AddDate(0, 0, days).UTC().Format(time.RFC3339))
	}
	return []read{
		{"profile", "/me", l.Regular},
		{"tokens", "/me/tokens", l.Regular},
		{"own bookings", "/me/bookings", l.Regular},
		{"own bookings, upcoming", "/me/bookings?when=upcoming", l.Regular},
		{"own bookings, ongoing", "/me/bookings?when=ongoing", l.Regular},
		{"own bookings, past", "/me/bookings?when=past", l.Regular},
		{"own bookings, confirmed", "/me/bookings?status=confirmed", l.Regular},
		{"own bookings, waiting", "/me/bookings?status=waitlisted", l.Regular},
		{"own bookings of somebody with few", "/me/bookings", l.Waiter},
		{"own bookings, upcoming, of somebody with few", "/me/bookings?when=upcoming", l.Waiter},
		{"conflicts with a day", "/me/conflicts?starts_at=" + at(30) + "&ends_at=" + at(31), l.Regular},
		{"conflicts with a year", "/me/conflicts?starts_at=" + at(-365) + "&ends_at=" + at(0), l.Regular},
		{"user", "/users/" + l.Regular.ID.String(), l.Admin},
		{"users", "/users", l.Admin},
		{"users by e-mail", "/users?email=person30%40example.com", l.Admin},
		{"users by e-mail, unknown", "/users?email=nobody%40example.com", l.Admin},
		{"attendees", "/users?role=attendee", l.Admin},
		{"organizers", "/users?role=organizer", l.Admin},
		{"admins", "/users?role=admin", l.Admin},
	}
}
