//go:build unix

package lab

import (
	"context"
	"fmt"

	"eventbooking/internal/account"
)

// Subject is what an experiment is made on. The zero Subject is the service of
// this working tree.
type Subject struct {
	// Binary is another one; Env are settings of its process.
	Binary string
	Env    map[string]string
	// Disarm is SQL that takes the database's own refusals away, so that a wrong
	// program is seen by the checker and not stopped by a constraint before.
	Disarm string
}

// Place is the subject at work: one process on a PostgreSQL of its own, and an
// organizer to ask it as.
type Place struct {
	Lab       *Lab
	Cluster   *Cluster
	Service   *Service
	Organizer *Client
}

// Place brings a subject up. The name is that of its files, once in a lab.
func (l *Lab) Place(ctx context.Context, name string, s Subject) (*Place, error) {
	binary := s.Binary
	if binary == "" {
		var err error
		if binary, err = l.Binary(); err != nil {
			return nil, err
		}
	}
	cluster, err := l.Cluster(ctx, name+"-pg", nil)
	if err != nil {
		return nil, err
	}
	service, err := l.Service(ctx, name, binary, cluster.URL(), s.Env)
	if err != nil {
		return nil, err
	}
	if s.Disarm != "" {
		if err := cluster.Exec(ctx, s.Disarm); err != nil {
			return nil, fmt.Errorf("disarm: %w", err)
		}
	}
	organizers, err := People(ctx, cluster.URL(), 1, account.Organizer)
	if err != nil {
		return nil, err
	}
	return &Place{Lab: l, Cluster: cluster, Service: service, Organizer: service.Client().As(organizers[0])}, nil
}

// People makes attendees.
func (p *Place) People(ctx context.Context, n int) ([]Person, error) {
	return People(ctx, p.Cluster.URL(), n, account.Attendee)
}

// Close ends the processes and frees their disk. The logs stay until the lab closes.
func (p *Place) Close() error {
	p.Organizer.Close()
	if err := p.Service.Stop(); err != nil {
		return err
	}
	return p.Cluster.Remove()
}
