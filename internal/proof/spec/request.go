package spec

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Request is what somebody asks for.
type Request struct {
	Verb Verb
	// Who asks: a person, or one of those below.
	Who           int
	Slot, Booking int
	Seats         int
	// Least is the number of seats that would do. Of Resize, None leaves it as it is
	// and 0 clears it.
	Least    int
	Wait     bool
	Replaces int
	Items    []Request
	Reason   bool
	Capacity int
	// From is the hour at which the slot is to start; Displace cancels the bookings of
	// those who have seats elsewhere then.
	From     int
	Displace bool
	// Revision is the one that an edit is meant for; 0: any.
	Revision int
	Status   SlotStatus
	// Rules are the mode of the waitlist, the fit, the passes and the limits of seats.
	Rules Rules
	// Numbers are those of the bookings to be made; nil: the next ones.
	Numbers []int
}

// Who asks, beside the people: Organizer manages the event, Stranger others only.
const (
	Organizer = -2
	Stranger  = -3
)

// Command is one of the API's, or a way to read.
type Command struct {
	Verb         Verb
	Method, Path string
	// do lets the model answer a request of somebody who may ask, about a booking if
	// there is one. It changes the model unless it refuses.
	do func(*Model, Request, Booking) Answer

	// About are the bookings that it makes sense for; nil: it is about none.
	// Manages says that only the organizer may.
	About   func(Booking) bool
	Manages bool
	// Takes are the further members of a request that it looks at. Those that are
	// not in the path are in the body.
	Takes []Member
	// Becomes is the status of a booking after it; empty: any.
	Becomes Status
}

// Member is one of a request.
type Member string

// The members that not every command looks at.
const (
	InSlot       Member = "slot"
	WithSeats    Member = "seats"
	WithLeast    Member = "least"
	OrWait       Member = "wait"
	Replacing    Member = "replaces"
	WithItems    Member = "items"
	WithReason   Member = "reason"
	WithCapacity Member = "capacity"
	WithStatus   Member = "status"
	WithTimes    Member = "times"
	WithRules    Member = "rules"
)

// IDs are the service's names for what the model numbers.
type IDs struct {
	Event         uuid.UUID
	Slot, Booking func(int) uuid.UUID
	// Times are those of a slot that starts at an hour, as the API has them.
	Times func(hour int) (starts, ends string)
}

// Command is the one that it stands for.
func (v Verb) Command() Command {
	return Commands[slices.IndexFunc(Commands, func(c Command) bool { return c.Verb == v })]
}

// Makes says whether it makes a booking.
func (v Verb) Makes() bool { return v == Book || v == Hold || v == Bundle }

// Reads says whether it changes nothing.
func (v Verb) Reads() bool { return v.Command().Method == http.MethodGet }

// Becomes is the status of a booking after it; empty: any.
func (v Verb) Becomes() Status { return v.Command().Becomes }

// Do lets the model answer a request. One that is refused changes nothing.
func (m *Model) Do(r Request) Answer {
	c := r.Verb.Command()
	var b Booking
	if c.About != nil {
		b = m.recall(r.Booking, r.Who)
	}
	switch {
	case c.Manages && r.Who != Organizer && (c.About == nil || r.Who >= 0):
		return refuse(NotPermitted)
	case c.About != nil && r.Who != Organizer && r.Who != b.Person:
		return refuse(NotFound)
	}
	a := c.do(m, r, b)
	if a.Code == SlotFull {
		slot := r.Slot
		switch {
		case a.Item != None:
			slot = r.Items[a.Item].Slot
		case r.Verb == Resize:
			slot = b.Slot
		}
		a.WaitlistOpen = m.waitlist(&m.Slots[slot]) == ""
	}
	return a
}

// HTTP is how a request is sent: the path is below that of the API's version, and
// the body is to be sent as JSON, unless it is nil.
func (r Request) HTTP(ids IDs) (method, path string, body any) {
	c := r.Verb.Command()
	path = os.Expand(c.Path, func(name string) string {
		switch name {
		case "event":
			return ids.Event.String()
		case "slot":
			return ids.Slot(r.Slot).String()
		}
		return ids.Booking(r.Booking).String()
	})
	if members := r.members(c, ids); len(members) > 0 {
		body = members
	}
	return c.Method, path, body
}

// members are those of the body.
func (r Request) members(c Command, ids IDs) map[string]any {
	members := map[string]any{}
	for _, member := range c.Takes {
		switch {
		case member == InSlot && !strings.Contains(c.Path, slotPath):
			members["slot_id"] = ids.Slot(r.Slot)
		case member == WithSeats:
			members["seats"] = r.Seats
		case member == WithLeast && r.Least > 0:
			members["seats_min"] = r.Least
		case member == WithLeast && r.Least == 0 && r.Verb == Resize:
			members["seats_min"] = nil
		case member == OrWait:
			members["if_full"] = map[bool]string{true: "waitlist", false: "reject"}[r.Wait]
		case member == Replacing && r.Replaces != None:
			members["replaces_booking_id"] = ids.Booking(r.Replaces)
		case member == WithReason && (r.Reason || c.Manages):
			members["reason"] = "Because."
		case member == WithCapacity:
			members["capacity"] = r.Capacity
		case member == WithStatus:
			members["status"] = r.Status
		case member == WithTimes:
			members["starts_at"], members["ends_at"] = ids.Times(r.From)
			members["on_conflict"] = map[bool]string{true: "cancel", false: "refuse"}[r.Displace]
		case member == WithRules:
			members["waitlist_mode"], members["max_passes"] = r.Rules.Waitlist, r.Rules.MaxPasses
			members["max_seats_per_booking"], members["max_seats_per_user"] = orNull(r.Rules.PerBooking), orNull(r.Rules.PerUser)
			members["fit"] = map[bool]string{true: "first_fit", false: "strict"}[r.Rules.FirstFit]
		case member == WithItems:
			var items []map[string]any
			for _, item := range r.Items {
				items = append(items, item.members(Command{Takes: []Member{InSlot, WithSeats}}, ids))
			}
			members["items"] = items
		}
	}
	return members
}

// orNull is a limit for the API.
func orNull(limit int) *int {
	if limit == 0 {
		return nil
	}
	return &limit
}

func (r Request) String() string {
	who, verb := r.Who, r.Verb
	r.Who, r.Verb = 0, ""
	return strings.TrimSpace(fmt.Sprintf("%d: %s %s", who, verb, Describe(r)))
}

// Describe are the exported fields of a struct that say something: those that are
// neither zero nor None.
func Describe(v any) string {
	var words []string
	value := reflect.ValueOf(v)
	for i := range value.NumField() {
		name, field := value.Type().Field(i).Name, value.Field(i)
		if !value.Type().Field(i).IsExported() || field.IsZero() || field.CanInt() && field.Int() == None {
			continue
		}
		words = append(words, fmt.Sprintf("%s=%v", strings.ToLower(name), field.Interface()))
	}
	return strings.Join(words, " ")
}
