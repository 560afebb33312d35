//go:build unix

package lab

import (
	"context"
	"errors"
	"eventbooking/internal/access"
	"fmt"
)

// Subject is what an experiment is made on. The zero Subject is the service of
// this working tree.
type Subject struct {
	// Binary is another one; Env are settings of its process.
	Binary string
	Env    map[string]string
	// Processes are how many run on the one database; 0 is one.
	Processes int
	// Disarm is SQL that takes the database's own refusals away, so that a wrong
	// program is seen by the checker and not stopped by a constraint before.
	Disarm string
}

// Deployment is the subject at work on a PostgreSQL of its own, with an organizer to
// ask it as.
type Deployment struct {
	Lab     *Lab
	Cluster *Cluster
	// Service is the first process, Others are the others.
	Service   *Service
	Others    []*Service
	Organizer *Client
}

// Deploy brings a subject up. The name is that of its files, once in a lab.
func (l *Lab) Deploy(ctx context.Context, name string, s Subject) (*Deployment, error) {
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
	p := &Deployment{Lab: l, Cluster: cluster}
	if p.Service, err = l.Service(ctx, name, binary, cluster.URL(), s.Env); err != nil {
		return nil, err
	}
	for i := 1; i < s.Processes; i++ {
		other, err := l.Service(ctx, fmt.Sprintf("%s-%d", name, i+1), binary, cluster.URL(), s.Env)
		if err != nil {
			return nil, err
		}
		p.Others = append(p.Others, other)
	}
	if s.Disarm != "" {
		if err := cluster.Exec(ctx, s.Disarm); err != nil {
			return nil, fmt.Errorf("disarm: %w", err)
		}
	}
	organizers, err := People(ctx, cluster.URL(), 1, access.Organizer)
	if err != nil {
		return nil, err
	}
	p.Organizer = p.Client().As(organizers[0])
	return p, nil
}

// Client is a client without a token, of all processes in turn.
func (p *Deployment) Client() *Client {
	bases := []string{p.Service.URL()}
	for _, other := range p.Others {
		bases = append(bases, other.URL())
	}
	return NewClient(bases...)
}

// People makes attendees.
func (p *Deployment) People(ctx context.Context, n int) ([]Person, error) {
	return People(ctx, p.Cluster.URL(), n, access.Attendee)
}

// Close ends the processes and frees their disk. The logs stay until the lab closes.
func (p *Deployment) Close() error {
	p.Organizer.Close()
	err := p.Service.Stop()
	for _, other := range p.Others {
		err = errors.Join(err, other.Stop())
	}
	return errors.Join(err, p.Cluster.Remove())
}
