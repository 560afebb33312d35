// Package eventbooking embeds the contract, so that a running service always serves
// the contract that it was built with.
package eventbooking

import _ "embed"

// Spec is openapi.yaml, byte for byte.
//
//go:embed openapi.yaml
var Spec []byte
