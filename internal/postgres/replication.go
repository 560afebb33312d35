package postgres

import "github.com/jackc/pgx/v5/pgconn"

// With a synchronous standby, COMMIT waits for it. Cancelling that wait
// (pg_cancel_backend) does not undo the commit: PostgreSQL answers COMMIT as
// usual, and only a warning says that the standby may not have the change. If the
// standby then takes over, an acknowledged change is lost.

// syncWaitRoutine is the PostgreSQL function that warns. Unlike the message it is
// not translated, and unlike the SQLSTATE it means nothing else.
const syncWaitRoutine = "SyncRepWaitForLSN"

// onNotice remembers the warning with its connection.
func onNotice(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.Routine == syncWaitRoutine {
		conn.CustomData()[syncWaitRoutine] = true
	}
}

// takeSyncWarning reports whether the warning came since the last call.
func takeSyncWarning(conn *pgconn.PgConn) bool {
	_, warned := conn.CustomData()[syncWaitRoutine]
	delete(conn.CustomData(), syncWaitRoutine)
	return warned
}
