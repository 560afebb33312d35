// Package eventbooking carries the contract inside the program, word for word,
// so that a running service always serves the description of itself.
package eventbooking

import _ "embed"

// Spec is openapi.yaml as it is written.
//
//go:embed openapi.yaml
var Spec []byte
