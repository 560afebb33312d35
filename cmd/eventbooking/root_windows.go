package main

// systemUser is a user of the operating system.
type systemUser struct{}

// user is always nil: Windows has no root to give up.
func (p process) user(*session) (*systemUser, error) {
	if p.RunAs != "" {
		return nil, errUsage("RUN_AS: it is for Unix: let the service manager start the service as the right user")
	}
	return nil, nil
}

func (process) become(*session, *systemUser) error { return nil }
