package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bound how many connections are open. Where there are more, the one that
// has asked nothing for the longest time is closed, as it soon would be by its timeout:
// if it kept its place instead (as with netutil.LimitListener), whoever opens enough of
// them and says nothing would keep everybody else out. Only if all are at work do new
// ones wait.
type connections struct {
	most int

	mu sync.Mutex
	// changed is when one is closed or silent, or the listener is closed.
	changed *sync.Cond
	open    int
	// silent are those without a request, new ones among them; those that have been so
	// for the longest time come first.
	silent   *list.List
	places   map[net.Conn]*list.Element
	stopping bool
}

func newConnections(most int) *connections {
	c := &connections{most: most, silent: list.New(), places: map[net.Conn]*list.Element{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// on returns a listener that accepts no more than there may be.
func (c *connections) on(l net.Listener) net.Listener { return &boundListener{l, c} }

// note is the server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if place := c.places[conn]; place != nil {
		c.silent.Remove(place)
		delete(c.places, conn)
	}
	if state == http.StateNew || state == http.StateIdle {
		c.places[conn] = c.silent.PushBack(conn)
		c.changed.Signal()
	}
}

// add counts a connection that was accepted, and returns when there is room for it.
func (c *connections) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open++; c.open > c.most && !c.stopping; {
		first := c.silent.Front()
		if first == nil {
			c.changed.Wait()
			continue
		}
		conn := c.silent.Remove(first).(net.Conn)
		delete(c.places, conn)
		go func() { _ = conn.Close() }() // which calls remove
		// Connections are added one at a time, so meanwhile only removals change the number.
		for before := c.open; c.open == before && !c.stopping; {
			c.changed.Wait()
		}
	}
}

func (c *connections) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	c.changed.Signal()
}

func (c *connections) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	c.changed.Broadcast()
}

// boundListener is a listener of connections.
type boundListener struct {
	net.Listener
	connections *connections
}

// Accept implements net.Listener.
func (l *boundListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.connections.add()
	return &countedConn{Conn: conn, removed: sync.OnceFunc(l.connections.remove)}, nil
}

// Close implements net.Listener.
func (l *boundListener) Close() error {
	l.connections.stop()
	return l.Listener.Close()
}

// countedConn is a connection that says when it is closed.
type countedConn struct {
	net.Conn
	removed func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.removed()
	return c.Conn.Close()
}
