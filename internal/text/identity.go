package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// domains is IDNA 2008 as for lookups (RFC 5891, UTS 46): upper case, full-width
// letters and punycode all lead to one spelling.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
	idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// Email returns an e-mail address in NFC, otherwise as it was typed: mail is sent to it
// as it is. It refuses addresses with anything invisible, and those without a key.
func Email(s string) (string, error) {
	if !utf8.ValidString(s) {
		return s, errEncoding()
	}
	s = norm.NFC.String(s)
	for _, r := range s {
		if unicode.In(r, unicode.Z, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || unicode.Is(unicode.C, r) || isRefused(r) {
			return s, errCharacter(r)
		}
	}
	_, err := EmailKey(s)
	return s, err
}

// EmailKey returns by what an e-mail address is compared. The key of one mailbox is the
// same for upper and lower case, composed and decomposed, full-width and ordinary
// letters (PRECIS UsernameCaseMapped, RFC 8265), and for an international domain and
// its punycode. It does not depend on the database's locale.
func EmailKey(s string) (string, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 {
		return "", &Refusal{"format", "must be an e-mail address"}
	}
	local, err := precis.UsernameCaseMapped.String(s[:at])
	if err != nil {
		return "", &Refusal{"format", "must have only letters, digits and ASCII symbols before the @"}
	}
	domain, err := domains.ToASCII(s[at+1:])
	if err != nil {
		return "", &Refusal{"format", "must have a domain name after the @"}
	}
	return local + "@" + strings.ToLower(domain), nil
}

// Password returns a new password as it is hashed: as PRECIS OpaqueString (RFC 8265)
// prepares it, or, where that refuses the text (it does most emoji), in NFC. Otherwise
// the same password typed on another keyboard would not be the same.
func Password(s string) string {
	prepared, err := precis.OpaqueString.String(s)
	if err != nil {
		return norm.NFC.String(s)
	}
	return prepared
}

// PasswordSpellings returns the spellings by which a password is recognised: prepared,
// and as it was typed, because older hashes are of that.
func PasswordSpellings(typed string) []string {
	if prepared := Password(typed); prepared != typed {
		return []string{prepared, typed}
	}
	return []string{typed}
}
