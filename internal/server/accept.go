package server

import (
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

type acceptKey struct{}

// accept puts the Accept header into the context, because handlers get only decoded
// requests.
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

// preferred returns the offered media type that an Accept header prefers (RFC 9110,
// section 12.5.1): of equal ones the first, and "" if it accepts none.
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

// quality returns the weight that an Accept header gives to a media type: that of
// its most specific range that matches.
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
