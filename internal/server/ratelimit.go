package server

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/limit"
)

// The classes of requests. An operation's is its x-limit in the contract, or follows
// from its method.
const (
	classAnonymous     limit.Class = "anonymous"     // reads without a token, by address
	classRegistrations limit.Class = "registrations" // by address, also with a token: they tell which e-mail addresses are taken
	classLogins        limit.Class = "logins"        // by address
	classUnauthorized  limit.Class = "unauthorized"  // without a valid token where one is needed, by address
	classReads         limit.Class = "reads"         // by user
	classWrites        limit.Class = "writes"        // by user
	classBookings      limit.Class = "bookings"      // by user, and never by address: a rush is no attack
	classSearches      limit.Class = "searches"      // by user, or by address without a token
	classNone          limit.Class = "none"          // not limited
)

// RateLimits are the rates of the classes. A class without one is not limited.
type RateLimits map[limit.Class]limit.Rate

// DefaultRateLimits are the rates that README.md gives the reasons for.
func DefaultRateLimits() RateLimits {
	return RateLimits{
		classAnonymous:     {Quota: 1200, Window: time.Minute},
		classRegistrations: {Quota: 10, Window: time.Minute},
		classLogins:        {Quota: 120, Window: time.Minute},
		classUnauthorized:  {Quota: 300, Window: time.Minute},
		classReads:         {Quota: 600, Window: time.Minute},
		classWrites:        {Quota: 120, Window: time.Minute},
		classBookings:      {Quota: 60, Window: time.Minute},
		classSearches:      {Quota: 120, Window: time.Minute},
	}
}

// String is the limits as ParseRateLimits reads them.
func (r RateLimits) String() string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, string(class)+"="+r[class].String())
	}
	return strings.Join(parts, ",")
}

// maxAllowances bounds the users and addresses whose requests are counted in each class,
// at some 45 bytes each.
const maxAllowances = 100_000

// The bounds of a rate that is set.
const (
	maxRateQuota = 1_000_000
	maxWindow    = 24 * time.Hour
)

// ParseRateLimits reads RATE_LIMITS: "off", or changes of the defaults, such as
// "reads=1000/1m,searches=off". The error says what is wrong and what would be right.
func ParseRateLimits(text string) (RateLimits, error) {
	if text == "off" {
		return RateLimits{}, nil
	}
	rates := DefaultRateLimits()
	err := readChanges(text, "class", slices.Sorted(maps.Keys(DefaultRateLimits())), func(class limit.Class, value string) error {
		if value == "off" {
			delete(rates, class)
			return nil
		}
		rate, err := parseRate(value)
		rates[class] = rate
		return err
	})
	if err != nil {
		return nil, err
	}
	return rates, nil
}

// readChanges reads a setting that changes defaults: "name=value,name=value". known are
// the names, of something that kind says. Its errors are those of set, with the name, or
// say which names there are.
func readChanges[Name ~string](text, kind string, known []Name, set func(name Name, value string) error) error {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if !slices.Contains(known, Name(name)) {
			return fmt.Errorf("there is no %s %q; there are %s, and off for all", kind, name, joined(known))
		}
		if err := set(Name(name), value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func joined[Name ~string](names []Name) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}

// parseRate reads a rate, such as 300/1m.
func parseRate(text string) (limit.Rate, error) {
	quota, window, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(quota)
	d, wrong := time.ParseDuration(window)
	// RateLimit-Policy has whole seconds.
	if err != nil || wrong != nil || n < 1 || n > maxRateQuota || d < time.Second || d > maxWindow || d%time.Second != 0 {
		return limit.Rate{}, fmt.Errorf("%q is not a rate: give a number of requests up to %d and a time in whole seconds from 1s to %s, such as 300/1m, or off",
			text, maxRateQuota, maxWindow)
	}
	return limit.Rate{Quota: n, Window: d}, nil
}

// classOf is the class of a request for the operation. It reads the query itself: Echo
// keeps what it has parsed, and the query is yet to be brought into its canonical form.
func (o *operation) classOf(r *http.Request) limit.Class {
	if len(o.costlyParameters) == 0 || r.URL.RawQuery == "" {
		return o.limit
	}
	query := r.URL.Query()
	for name, class := range o.costlyParameters {
		if query.Has(name) {
			return class
		}
	}
	return o.limit
}

// allowances are what users and addresses have left.
type allowances struct {
	rates RateLimits
	store limit.Store
}

// limitRate takes each request from the allowance of its user, or of its address if it
// has no token, and says in the answer what is left (RateLimit and RateLimit-Policy of
// draft-ietf-httpapi-ratelimit-headers-11).
func (a allowances) limitRate(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if o.limit == classNone || len(a.rates) == 0 {
			return next
		}
		return func(c echo.Context) error {
			class, who := o.classOf(c.Request()), addressKey(c.RealIP())
			if caller := access.CallerFrom(c.Request().Context()); caller.IsKnown() && class != classRegistrations {
				who = caller.UserID.String()
			} else if class == classReads {
				class = classAnonymous
			}
			if err := a.take(c, class, who); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// limitUnauthorized takes requests whose token is missing or refused from the allowance
// of their address. Nobody is known who could be limited instead, and each made-up token
// is looked up.
func (a allowances) limitUnauthorized(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if _, limited := a.rates[classUnauthorized]; !limited || o.token == tokenIgnored {
			return next
		}
		return func(c echo.Context) error {
			err := next(c)
			if f := fault.Of(err); f == nil || f.Code != fault.TokenMissing && f.Code != fault.TokenInvalid && f.Code != fault.TokenExpired {
				return err
			}
			if limited := a.take(c, classUnauthorized, addressKey(c.RealIP())); limited != nil {
				return limited
			}
			return err
		}
	}
}

// areTokensUsedUp says whether an address has shown as many wrong tokens as it may.
func (a allowances) areTokensUsedUp(address string) bool {
	rate, limited := a.rates[classUnauthorized]
	return limited && a.store.Left(limit.Key{Class: classUnauthorized, Who: address}, rate, time.Now()) == 0
}

// take returns fault.RateLimited if the allowance is used up.
func (a allowances) take(c echo.Context, class limit.Class, who string) error {
	rate, limited := a.rates[class]
	if !limited {
		return nil
	}
	decision := a.store.Take(limit.Key{Class: class, Who: who}, rate, time.Now())
	header := c.Response().Header()
	header["Ratelimit-Policy"] = []string{rate.Policy(class)}
	header["Ratelimit"] = []string{decision.Field(class)}
	if decision.Allowed {
		return nil
	}
	return fault.RateLimited.Newf("There were more than %s of the class %q within %s. Wait %s.", fault.Count(rate.Quota, "request"), class,
		inSeconds(rate.Window), inSeconds(decision.Wait())).After(decision.Wait())
}

func inSeconds(d time.Duration) string { return fault.Count(int(d.Seconds()), "second") }

// countByAddress says for which address the passwords of a request are counted.
func countByAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(access.WithAddress(r.Context(), addressKey(c.RealIP()))))
		return next(c)
	}
}

// addressKey is what an address is limited by: itself, or its /64 for IPv6, which one
// customer of a provider has whole.
func addressKey(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	prefix, _ := address.Prefix(64)
	return prefix.String()
}
