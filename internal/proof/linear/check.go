//go:build unix

package linear

import (
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"

	"eventbooking/internal/proof/lab"
)

const (
	// checkLimit bounds the search for an order; it takes milliseconds.
	checkLimit = time.Minute
	// pictureLimit bounds the second search, which remembers how far it came.
	pictureLimit = 20 * time.Second
)

// check looks for an order of the operations, within what their clients saw of
// time, in which the model answers as the service did. Where there is one, what
// the service then left undone is a broken promise of its own.
func (p *proof) check(name string, model porcupine.Model, operations []porcupine.Operation, undone error) error {
	wrong := undone
	switch porcupine.CheckOperationsTimeout(model, operations, checkLimit) {
	case porcupine.Unknown:
		return fmt.Errorf("%s: within %s, no order of %d operations was found or excluded", name, checkLimit, len(operations))
	case porcupine.Illegal:
		wrong = fmt.Errorf("no order of %d operations explains their answers", len(operations))
	}
	if wrong == nil {
		p.checked.Add(int64(len(operations)))
		return nil
	}
	path, err := picture(p.lab, model, operations)
	if err != nil {
		path = fmt.Sprintf("no picture, because of %v", err)
	}
	return lab.Broken(fmt.Errorf("%s: %w (%s)", name, wrong, path))
}

// picture writes the history as porcupine draws it, with the longest orders that
// go well, for a browser.
func picture(l *lab.Lab, model porcupine.Model, operations []porcupine.Operation) (string, error) {
	file, err := os.CreateTemp(l.Dir(), "linear-*.html")
	if err != nil {
		return "", err
	}
	_, info := porcupine.CheckOperationsVerbose(model, operations, pictureLimit)
	if err := porcupine.Visualize(model, info, file); err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}
