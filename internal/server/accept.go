package server

import (
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

type acceptKey struct{}

// accept keeps the Accept header where handlers find it, which get decoded
// requests only.
func accept(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		accept := strings.Join(r.Header.Values(echo.HeaderAccept), ",")
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), acceptKey{}, accept)))
		return next(c)
	}
}

func acceptFrom(ctx context.Context) string {
	accept, _ := ctx.Value(acceptKey{}).(string)
	return accept
}

// preferred is the one of the forms on offer that an Accept header likes best
// (RFC 9110, section 12.5.1), the earlier one when it does not care, and nothing
// when it accepts none.
func preferred(accept string, offers ...string) string {
	if strings.TrimSpace(accept) == "" {
		return offers[0]
	}
	best, highest := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > highest {
			best, highest = offer, q
		}
	}
	return best
}

// quality is how much an Accept header likes a media type: what its most
// specific range says.
func quality(accept, offer string) float64 {
	group, _, _ := strings.Cut(offer, "/")
	ranges := []string{"*/*", group + "/*", offer}
	quality, specific := 0.0, -1
	for entry := range strings.SplitSeq(accept, ",") {
		media, parameters, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		for i, name := range ranges {
			if media == name && i > specific {
				quality, specific = weight(parameters["q"]), i
			}
		}
	}
	return quality
}

func weight(q string) float64 {
	if w, err := strconv.ParseFloat(q, 64); err == nil && w >= 0 && w <= 1 {
		return w
	}
	return 1
}
