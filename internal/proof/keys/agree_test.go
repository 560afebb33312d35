//go:build unix

package keys

import (
	"net/http"
	"testing"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

func TestAgree(t *testing.T) {
	t.Parallel()
	answer := func(status int, body, tag string, replayed bool) load.Settled {
		header := http.Header{"Etag": {tag}}
		if replayed {
			header.Set("Idempotent-Replayed", "true")
		}
		return load.Settled{Answer: lab.Answer{Status: status, Body: []byte(body), Header: header}, Sent: 1}
	}
	lost := func(s load.Settled) load.Settled {
		s.Sent, s.Unknown = 2, true
		return s
	}
	first, again := answer(201, "{}", "1", false), answer(201, "{}", "1", true)
	full, fullAgain := answer(409, "{}", "", false), answer(409, "{}", "", true)
	tests := map[string]struct {
		answers []load.Settled
		good    bool
	}{
		"once":                                 {[]load.Settled{first}, true},
		"repeated":                             {[]load.Settled{again, first, again}, true},
		"a refusal, repeated":                  {[]load.Settled{full, fullAgain}, true},
		"the first answer was lost":            {[]load.Settled{again, lost(again)}, true},
		"a request was lost on its way":        {[]load.Settled{again, lost(first)}, true},
		"a wrong request, twice":               {[]load.Settled{answer(422, `{"request_id":"1"}`, "", false), answer(422, `{"request_id":"2"}`, "", false)}, true},
		"two effects that look the same":       {[]load.Settled{first, first}, false},
		"two, though one was lost":             {[]load.Settled{first, lost(first)}, false},
		"two effects":                          {[]load.Settled{first, answer(201, `{"id":2}`, "1", false)}, false},
		"a repetition of something else":       {[]load.Settled{first, answer(201, `{"id":2}`, "1", true)}, false},
		"with another ETag":                    {[]load.Settled{first, answer(201, "{}", "2", true)}, false},
		"an effect, and a refusal":             {[]load.Settled{first, full}, false},
		"an effect, and a wrong request":       {[]load.Settled{first, answer(422, "{}", "", false)}, false},
		"two refusals":                         {[]load.Settled{full, full}, false},
		"a repetition of nothing":              {[]load.Settled{again, again}, false},
		"the same request taken for another's": {[]load.Settled{answer(422, `{"code":"idempotency_key_reused"}`, "", false)}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := agree(test.answers); (err == nil) != test.good {
				t.Errorf("%v", err)
			}
		})
	}
}
