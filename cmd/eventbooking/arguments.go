package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parse parses the arguments and the variables of the environment. An empty value
// counts as none: it is what scripts and Compose files pass for what is not set. White
// space around a value is a mistake in such a file.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	err := kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, variable := range flag.Envs {
				if err := normalizeVariable(variable); err != nil {
					return err
				}
			}
		}
		return next(nil)
	})
	if err != nil {
		return nil, err
	}
	if args, err = withoutEmpty(args); err != nil {
		return nil, err
	}
	chosen, err := parser.Parse(args)
	if err != nil && strings.HasPrefix(err.Error(), "un") && mayQuoteAddress(args) { // unexpected argument, unknown flag
		// kong quotes what it does not expect: the rest of a password after a space.
		return nil, errors.New("unexpected arguments: quote an address, and pass it as --database-url=… or in DATABASE_URL")
	}
	return chosen, err
}

// normalizeVariable unsets a variable that is empty.
func normalizeVariable(name string) error {
	value, isSet := os.LookupEnv(name)
	if isSet && value == "" {
		return os.Unsetenv(name)
	}
	return checkSpace(name, value)
}

func checkSpace(name, value string) error {
	if strings.TrimSpace(value) != value {
		return errUsage("%s: the value begins or ends with white space", name)
	}
	return nil
}

// withoutEmpty removes flags with empty values.
func withoutEmpty(args []string) ([]string, error) {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		isFlag := strings.HasPrefix(name, "--")
		separate := isFlag && !hasValue && i+1 < len(args) && args[i+1] == ""
		switch {
		case !isFlag:
			name, value = "an argument", args[i]
			if len(kept) > 0 && strings.HasPrefix(kept[len(kept)-1], "--") && !strings.Contains(kept[len(kept)-1], "=") {
				name = kept[len(kept)-1] // whose value this is
			}
		case separate:
			i++
		}
		if err := checkSpace(name, value); err != nil {
			return nil, err
		}
		if !separate && (!isFlag || !hasValue || value != "") {
			kept = append(kept, args[i])
		}
	}
	return kept, nil
}

// mayQuoteAddress reports whether an error about the arguments could contain a part of
// the address of a database.
func mayQuoteAddress(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return strings.HasPrefix(arg, "--database-url") || strings.HasPrefix(arg, "--database-direct-url") || strings.Contains(arg, "password") ||
			strings.Contains(arg, "://") || strings.Contains(arg, "@") && strings.ContainsAny(arg, ":/") // not an e-mail address
	})
}
