// Package embedded runs a local PostgreSQL server: the database of the service when
// it has no DATABASE_URL, and of the tests.
//
// Start runs the postgres program itself, listening on a Unix socket only, with
// its data in a directory that stays between runs. The program is an installed
// one, or else one that is fetched once and verified by its checksum.
//
// # Sharing
//
// Any number of processes may Start the same data directory. One of them owns the
// server, by an flock on owner.lock; the others are guests, who only use it. The
// kernel releases the lock when the owner dies, even by SIGKILL; a lock file with a
// process id would be left behind. Guests try the lock ten times a second. The one
// that gets it starts the server again on the same data and the same socket, so a
// pool on the URL loses its connections and reconnects.
//
// # Ending with its owner
//
// A killed owner must not leave a server behind that blocks the next start. On
// Linux the kernel sends the server SIGINT when the owner's thread ends
// (Pdeathsig); elsewhere a shell that waits on a pipe does. pg_ctl is not used
// because it detaches the server from its parent. Where the server outlives its
// owner anyway, the next owner ends it before it starts its own.
//
// # Rejected
//
// The library fergusstrange/embedded-postgres: it unpacks an archive before it is
// checked, fails as root, leaves an orphan when its process is killed, and
// deletes the data when the major version changes. This package runs the server as
// another user when it is root, and keeps one data directory per major version.
package embedded
