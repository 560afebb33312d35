package seed

// Login is a seeded user to log in as. Everybody knows the passwords.
type Login struct{ Email, Password string }

// The users that the README names.
var (
	Busy      = Login{"busy@test.com", password}
	Admin     = Login{"admin@test.com", password}
	Organizer = Login{"organizer@test.com", password}
	Visitor   = Login{"admin@example.com", visitorsPassword}

	Logins = []Login{Busy, Admin, Organizer, Visitor}
)
