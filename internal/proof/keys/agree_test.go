//go:build unix

package keys

import (
	"net/http"
	"testing"

	"eventbooking/internal/proof/lab"
)

func TestAnswersToOneKeyMustAgree(t *testing.T) {
	t.Parallel()
	answer := func(status int, body, tag string, replayed bool) settled {
		header := http.Header{"Etag": {tag}}
		if replayed {
			header.Set("Idempotent-Replayed", "true")
		}
		return settled{Answer: lab.Answer{Status: status, Body: []byte(body), Header: header}, sent: 1}
	}
	lost := func(s settled) settled {
		s.sent, s.unknown = 2, true
		return s
	}
	first, again := answer(201, "{}", "1", false), answer(201, "{}", "1", true)
	full, fullAgain := answer(409, `{"request_id":"1"}`, "", false), answer(409, "{}", "", true)
	early, late := full, full
	early.Called, first.Returned, late.Called = 1, 2, 3
	tests := map[string]struct {
		answers []settled
		good    bool
	}{
		"once":                                 {[]settled{first}, true},
		"repeated":                             {[]settled{again, first, again}, true},
		"the first answer was lost":            {[]settled{again, lost(again)}, true},
		"a request was lost on its way":        {[]settled{again, lost(first)}, true},
		"a wrong request, twice":               {[]settled{answer(422, `{"request_id":"1"}`, "", false), answer(422, `{"request_id":"2"}`, "", false)}, true},
		"two effects that look the same":       {[]settled{first, first}, false},
		"two, though one was lost":             {[]settled{first, lost(first)}, false},
		"two effects":                          {[]settled{first, answer(201, `{"id":2}`, "1", false)}, false},
		"a repetition of something else":       {[]settled{first, answer(201, `{"id":2}`, "1", true)}, false},
		"with another ETag":                    {[]settled{first, answer(201, "{}", "2", true)}, false},
		"refusals for two reasons":             {[]settled{full, answer(403, "{}", "", false)}, true},
		"refused, and then done":               {[]settled{first, early}, true},
		"done, and then refused":               {[]settled{late, first}, false},
		"a refusal that was kept":              {[]settled{full, fullAgain}, false},
		"a repetition of nothing":              {[]settled{again, again}, false},
		"the same request taken for another's": {[]settled{answer(422, `{"code":"idempotency_key_reused"}`, "", false)}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := agree(test.answers); (err == nil) != test.good {
				t.Errorf("%v", err)
			}
		})
	}
}
