//go:build unix

package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
)

// malformed are addresses in which S1 and S2 stand for pieces of a password.
var malformed = []string{
	"postgres://me:S1@S2@host/x", "postgresql://me:S1@S2@host:5432/x?sslmode=disable", "postgres://me:@S1@host/x", "postgres://me:S1@@host/x",
	"postgres://me:S1/S2@host/x", "postgres://me:12/S2@host/x", "postgres://me:12?S2@host/x", "postgres://me:12?S1=S2@host/x",
	"postgres://me:S1?S2@host/x", "postgres://me:12#S2@host/x", "postgres://me:S1#S2@host/x", "postgres://me:S1 S2@host/x",
	"postgres://me:S1%zzS2@host/x", "postgres://me:S1%@host/x", "postgres://me:S1[@S2]@host/x", "postgres://me:S1\n@host/x",
	"postgres://me:S1", "postgres://me:S1@host:S2/x", "postgres://me:S1@host:99999/x", "postgres://me:S1@host/x?S2=1", "postgres://me:S1@host/x?password=12&S2=1",
	"postgres://me:S1@host/x?sslmode=S2", "postgres://me:S1@host/x?connect_timeout=S2", "postgres://me:S1@host/x?default_query_exec_mode=S2",
	"postgres://me:S1@host/x?pool_max_conns=S2", "postgres://me:S1@host/x?host=S1@S2", "postgres://me:S1@[host/x", "postgres://host/x?password=S1#S2",
	"postgres://me%3AS1%40S2:5432/x", "postgres://me:p@host,S1%3AS2/x", "postgres://host/me%3A%2F%2FS1?dbname=postgres://me:S1@h",
	"POSTGRES://me:S1@host/x", "Postgres://me:S1=S2@host/x", "mysql://me:S1@host/x", "http://me:S1@host/x", "postgres:/me:S1@host/x", "postgres:me:S1@host",
	"jdbc:postgresql://host/x?user=me&password=S1", "me:S1@host/x", "S1", "//me:S1@host/x",
	"host=host password=S1 S2 user=me", "host=host password='S1 user=me", "host=host password='S1'S2 user=me", "host=host password=S1 S2=S1 user=me",
	"host=me:S1@S2 user=me", "password=S1 host=S1@S2", "host=host password=S1 port=S2", "host=host password=S1 dbname=postgres://me:S1@h/x",
	"host=host password=S1 sslmode=S2",
}

// A part of the password that is taken for the host would be looked up and printed.
func TestMalformedAddressesAreRefusedWithoutQuotingThem(t *testing.T) {
	t.Parallel()
	pieces := strings.NewReplacer("S1", "hush1", "S2", "hush2")
	for _, form := range malformed {
		address := pieces.Replace(form)
		err := postgres.CheckAddress(address)
		if !errors.Is(err, postgres.ErrAddress) {
			t.Errorf("%s: %v", address, err)
		} else if strings.Contains(strings.ToLower(err.Error()), "hush") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error quotes the password, or has several lines: %v", address, err)
		}
		if pool, err := postgres.Open(t.Context(), address, postgres.PoolOptions{}); err == nil {
			pool.Close()
			t.Errorf("%s: was opened", address)
		}
	}
}

func TestAddressesThatAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://host", "postgres://me@host", "postgresql://me:p%40s%2Fs%3F%23%25@host:5432/x?sslmode=require", "postgres://me:a:b,c;d$!*'()~&=+@host/x",
		"postgres://me:p@a,b:5433,[::1]:5434/x?target_session_attrs=read-write", "postgres://[fe80::1%25eth0]/x", "postgres://me@/x?host=/var/run/postgresql&port=5432",
		"postgres://me@%2Fvar%2Frun%2Fpostgresql/x", "postgres://me@db_1.internal-net.:5432/x%20y%40z", "postgres://host/x?options=-c%20jit%3Doff&application_name=a",
		"postgres://host/x?pool_max_conns=3&default_query_exec_mode=cache_describe", "postgres://host/x?client_encoding=utf-8",
		"postgres://host/x?default_query_exec_mode=cache_statement", "host=a default_query_exec_mode=cache_statement",
		"host=/tmp user=me password='a b@c' dbname=x", `host=::1 password=a\ b`, "host=a,b port=1,2 user=me search_path=public",
	} {
		if err := postgres.CheckAddress(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		pool, err := postgres.Open(t.Context(), postgres.ThroughPooler(address), postgres.PoolOptions{})
		if err != nil {
			t.Errorf("%s: through a pooler: %v", address, err)
			continue
		}
		if mode := pool.Config().ConnConfig.DefaultQueryExecMode; mode != pgx.QueryExecModeCacheDescribe {
			t.Errorf("%s: through a pooler: %v", address, mode)
		}
		pool.Close()
	}
}

// In these the types of parameters are not known, or two round trips need one session.
func TestModesOfQueriesThatBreakLaterAreRefused(t *testing.T) {
	t.Parallel()
	for _, parameter := range []string{"default_query_exec_mode=exec", "default_query_exec_mode=simple_protocol", "default_query_exec_mode=describe_exec",
		"statement_cache_capacity=0", "description_cache_capacity=0", "client_encoding=LATIN1"} {
		name, value, _ := strings.Cut(parameter, "=")
		err := postgres.CheckAddress("postgres://host/x?" + parameter)
		if !errors.Is(err, postgres.ErrAddress) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "leave it out") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// The variables of libpq complete an address, so that its error must name them.
func TestWrongVariableOfLibpqIsNamed(t *testing.T) {
	t.Setenv("PGSERVICE", "hush")
	t.Setenv("PGSERVICEFILE", "/nowhere")
	err := postgres.CheckAddress("postgres://host/x")
	if err == nil || !strings.Contains(err.Error(), "PGSERVICE") || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
}
