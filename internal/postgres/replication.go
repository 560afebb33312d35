package postgres

import "github.com/jackc/pgx/v5/pgconn"

// With a synchronous standby, COMMIT waits for it. Who ends that wait
// (pg_cancel_backend) does not undo the commit: PostgreSQL answers COMMIT as if
// all were well, and only a warning says that the standby may not have it. If it
// then takes over, what was acknowledged is lost.

// waitForStandby is the function of PostgreSQL that warns. Its name is in every
// language the same, unlike the message, and unlike the SQLSTATE it means nothing
// else.
const waitForStandby = "SyncRepWaitForLSN"

// heed remembers the warning with its connection.
func heed(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.Routine == waitForStandby {
		conn.CustomData()[waitForStandby] = true
	}
}

// unreplicated tells whether the warning came since it was last asked.
func unreplicated(conn *pgconn.PgConn) bool {
	_, warned := conn.CustomData()[waitForStandby]
	delete(conn.CustomData(), waitForStandby)
	return warned
}
