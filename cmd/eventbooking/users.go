package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/term"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

type admin struct {
	Create adminCreate `cmd:"" help:"Create an administrator. Migrates the database first."`
}

type adminCreate struct {
	Email    string `arg:"" help:"The administrator's e-mail address."`
	Name     string `default:"Administrator" help:"The administrator's name."`
	Generate bool   `help:"Print a random password, to be changed after the first login, instead of reading one from the terminal or stdin."`
}

// Run creates an administrator, so that a database without seed data can have one.
func (c adminCreate) Run(s *session) error {
	password, err := c.password(s)
	if err != nil {
		return err
	}
	return s.withDatabase(func(d *database) error {
		if _, err := s.migrateUp(d); err != nil {
			return err
		}
		if err := postgres.CheckPrivileges(s.ctx, d.url, postgres.WriteRows); err != nil {
			return err
		}
		return usePool(s, d.url, func(pool *pgxpool.Pool) error { return c.create(s, pool, password) })
	})
}

func (c adminCreate) create(s *session, pool *pgxpool.Pool, password string) error {
	user, err := account.New(pool, account.Options{}).CreateAdmin(s.ctx, account.Registration{Email: c.Email, Name: c.Name, Password: password})
	switch {
	case errors.Is(err, fault.EmailTaken):
		return fmt.Errorf("a user has this e-mail address: make them an administrator with eventbooking user role %s admin", c.Email)
	case err != nil:
		return errWithField(err)
	}
	fmt.Fprintf(s.out, "%s is an administrator, with the id %s.\n", user.Email, user.ID)
	if c.Generate {
		fmt.Fprintf(s.out, "Password, shown once: %s\nChange it after the first login: PUT /api/v1/me/password\n", password)
	}
	return nil
}

// password returns the new administrator's password: random, or as typed at the
// terminal, twice and without an echo, or the first line of another stdin.
func (c adminCreate) password(s *session) (string, error) {
	if c.Generate {
		return rand.Text(), nil
	}
	file, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return readPassword(s.in)
	}
	first, err := s.ask(file, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := s.ask(file, "Repeat it: ")
	if err == nil && first != second {
		err = errors.New("the passwords differ")
	}
	return first, err
}

// ask reads a line from the terminal without an echo.
func (s *session) ask(terminal *os.File, prompt string) (string, error) {
	fmt.Fprint(s.out, prompt)
	defer fmt.Fprintln(s.out)
	state, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	type answer struct {
		line []byte
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(int(terminal.Fd()))
		typed <- answer{line, err}
	}()
	select {
	case a := <-typed:
		if a.err != nil {
			return "", fmt.Errorf("read the password: %w", a.err)
		}
		return string(a.line), nil
	case <-s.ctx.Done(): // Ctrl-C: the terminal must not stay without an echo.
		_ = term.Restore(int(terminal.Fd()), state)
		return "", s.ctx.Err()
	}
}

// maxPasswordLine bounds what is read as a password, in bytes.
const maxPasswordLine = 4 << 10

func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errUsage("no password: type it at a terminal, send it to stdin, or use --generate")
	}
	return line, nil
}

type user struct {
	Role userRole `cmd:"" help:"Change a user's role."`
}

type userRole struct {
	Email string `arg:"" help:"The user's e-mail address."`
	Role  string `arg:"" enum:"attendee,organizer,admin" help:"attendee, organizer or admin."`
}

// Run changes the role of a user.
func (c userRole) Run(s *session) error {
	return s.withSchema(postgres.WriteRows, func(pool *pgxpool.Pool) error {
		user, err := account.New(pool, account.Options{}).SetRoleByEmail(s.ctx, c.Email, access.Role(c.Role))
		switch {
		case errors.Is(err, fault.NotFound):
			return fmt.Errorf("no user has the e-mail address %s", c.Email)
		case err != nil:
			return err
		}
		fmt.Fprintf(s.out, "%s has the role %s, from the next request on.\n", user.Email, user.Role)
		return nil
	})
}
