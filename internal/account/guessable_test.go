package account

import (
	"errors"
	"strings"
	"testing"

	"eventbooking/internal/fault"
)

func TestPasswordsThatAreTriedFirstAreRefused(t *testing.T) {
	t.Parallel()
	about := []string{"Ada von Lovelace", "ada.lovelace+news@bücher.example"}
	for _, password := range []string{
		"password", "Password1", "P@ssw0rd!", "p4ssw0rd", "m0nk3y12", "12345678", "qwertz123", "letmein123", "iloveyou", "aaaaaaaa", "abcdefgh", "summer2026!",
		"Ada von Lovelace", "adavonlovelace", "AdaLovelace1815", "L0vel4ce!", "lovelace99", "ada.lovelace+news@bücher.example", "bücher2026",
		strings.Repeat("password", 25),
	} {
		err := checkGuessable("/password", password, about)
		if f := fault.Of(err); !errors.Is(err, fault.ValidationFailed) || len(f.Fields) != 1 || f.Fields[0].Pointer != "/password" || f.Fields[0].Code != "guessable" {
			t.Errorf("%q: %v", password, err)
		}
	}
	for _, password := range []string{
		"correct horse", "correct horse battery staple", "mein hund bello", "xK9#mQ2v", "tr0ub4dor&3", "пароль123 и собака", "Ada von Lovelace mag 7 Katzen im Regen",
		strings.Repeat("4@8({[<369&#!1/|0$5+7%2", 9)[:200], // some seconds for the library's own matcher of such
	} {
		if err := checkGuessable("/password", password, about); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
	if len(ownWords([]string{strings.Repeat("a b ", 50)})) > maxOwnWords {
		t.Error("the words about a user are not bounded")
	}
}
