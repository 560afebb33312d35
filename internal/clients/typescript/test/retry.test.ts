// Lost responses, an unavailable database and a restarting service: each request has one effect, and its caller
// learns the result.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { eventBooking, isProblem, type EventBooking, type Settings } from 'eventbooking-client';
import { startProxy } from './proxy.js';
import { startService } from './service.js';
import { baseUrl, logIn, newAttendee, newEvent, recording, type Attempt } from './fixtures.js';

const organizer = await logIn('organizer@test.com');

// Between the client and the service.
const network = await startProxy({ host: '127.0.0.1', port: Number(new URL(baseUrl).port) });
after(() => network.stop());

// Between a second service and the database.
const directory = await mkdtemp(join(tmpdir(), 'evb-'));
after(() => rm(directory, { recursive: true }));
const socket = '.s.PGSQL.5432';
const database = await startProxy({ path: join(process.env['SERVICE_DATA']!, 'run', socket) }, join(directory, socket));
after(() => database.stop());
const second = { WORKERS: 'false', DATABASE_URL: `postgres://eventbooking@/eventbooking?host=${directory}&sslmode=disable` };
let service = await startService(second);
after(() => service.stop());

beforeEach(() => {
  network.onChunk = database.onChunk = undefined;
  database.down = false;
});

/** Returns a new attendee's client of the service at this address, its recorded attempts, and a slot to book. */
async function attendee(at: string, settings: Partial<Settings> = {}) {
  const attempts: Attempt[] = [];
  const { token } = await newAttendee();
  const { slots } = await newEvent(organizer, [5]);
  const api = eventBooking({ baseUrl: at, token, fetch: recording(attempts), ...settings });
  return { api, attempts, path: { slot_id: slots[0]!.id } };
}

const viaNetwork = (settings?: Partial<Settings>) => attendee(`http://127.0.0.1:${network.port}`, settings);
const viaDatabase = (settings?: Partial<Settings>) => attendee(service.url, settings);

/** Cuts the connection at the first byte of each of the next `count` responses. */
function loseResponses(count: number) {
  network.onChunk = () => (count-- > 0 ? 'cut' : 'pass');
}

async function bookings(api: EventBooking) {
  return (await api.listMyBookings()).data.data;
}

test('a request whose response is lost is retried with its key, and has one effect', async () => {
  const { api, attempts, path } = await viaNetwork();
  loseResponses(2);
  const { data: booking, response } = await api.createBooking({ path, body: {} });
  assert.equal(response.headers.get('Idempotent-Replayed'), 'true');
  assert.equal(attempts.length, 3);
  assert.match(attempts[0]!.key!, /^[0-9a-f]{32}$/);
  assert.equal(new Set(attempts.map(({ key }) => key)).size, 1);
  assert.deepEqual((await bookings(api)).map(({ id }) => id), [booking.id]);
});

test('each call has its own key, unless the caller sets one', async () => {
  const { api, attempts, path } = await viaNetwork();
  const { data: booking } = await api.createBooking({ path, body: {} });
  await api.cancelBooking({ path: { booking_id: booking.id } });
  const again = { path, body: {}, headers: { 'Idempotency-Key': 'mine' } };
  const { data: second } = await api.createBooking(again);
  assert.equal((await api.createBooking(again)).data.id, second.id);
  const [first, cancel, ...others] = attempts.map(({ key }) => key);
  assert.notEqual(first, cancel);
  assert.deepEqual(others, ['mine', 'mine']);
});

test('a request is retried if the connection is lost in the middle of the response', async () => {
  const { api, attempts, path } = await viaNetwork();
  let halved = false;
  network.onChunk = (chunk) => {
    if (halved) {
      return 'pass';
    }
    halved = true;
    assert.ok(chunk.includes('\r\n\r\n'), 'the chunk has no body to halve');
    return 'halve';
  };
  assert.equal((await api.getSlot({ path })).data.id, path.slot_id);
  assert.equal(attempts.length, 2);
  assert.equal(attempts[0]!.response?.status, 200);
});

test('a POST without a key is not retried if its response is lost', async () => {
  const attempts: Attempt[] = [];
  const api = eventBooking({ baseUrl: `http://127.0.0.1:${network.port}`, fetch: recording(attempts) });
  loseResponses(1);
  await assert.rejects(api.loginUser({ body: { email: 'busy@test.com', password: 'password' } }), TypeError);
  assert.equal(attempts.length, 1);
  assert.equal(attempts[0]!.key, null);
});

test('retries end after the last attempt, and when the caller aborts', async () => {
  const { api, attempts } = await viaNetwork({ retry: { attempts: 2, pause: 1 } });
  loseResponses(Infinity);
  await assert.rejects(api.listMyBookings(), TypeError);
  assert.equal(attempts.length, 2);

  const patient = await viaNetwork({ retry: { attempts: 5, pause: 60_000, longestPause: 60_000 } });
  const caller = new AbortController();
  const call = patient.api.listMyBookings({ signal: caller.signal });
  setTimeout(() => caller.abort(), 300);
  await assert.rejects(call, { name: 'AbortError' });
  assert.equal(patient.attempts.length, 1);
});

test('an attempt that times out is retried', async () => {
  const { api, attempts, path } = await viaNetwork({ timeout: 3000 });
  let lost = false;
  network.onChunk = () => {
    const action = lost ? 'pass' : 'drop';
    lost = true;
    return action;
  };
  await api.createBooking({ path, body: {} });
  assert.equal(attempts.length, 2);
  assert.ok(attempts[1]!.at - attempts[0]!.at >= 3000);
});

test('Retry-After is respected, and ends the retries if it exceeds the longest pause', async () => {
  const impatient = await viaDatabase({ retry: { longestPause: 100 } });
  const { api, attempts, path } = await viaDatabase({ retry: { pause: 1 } });
  database.down = true;
  database.cut();
  await assert.rejects(impatient.api.getSlot({ path }), (error) => {
    assert.ok(isProblem(error, 'database_unavailable'));
    assert.equal(error.retryable, true);
    return true;
  });
  assert.equal(impatient.attempts.length, 1);

  setTimeout(() => (database.down = false), 500);
  assert.equal((await api.createBooking({ path, body: {} })).data.status, 'confirmed');
  const [first, next] = attempts;
  assert.equal(first!.response!.status, 503);
  assert.ok(next!.at - first!.at >= Number(first!.response!.headers.get('Retry-After')) * 1000);
});

test('a rate limit is waited for as Retry-After says, also by a POST without a key', async () => {
  const limited = await startService({ ...second, RATE_LIMITS: 'reads=1/2s,registrations=1/2s,writes=1/24h' });
  after(() => limited.stop());
  const attempts: Attempt[] = [];
  const { token } = await newAttendee();
  const api = eventBooking({ baseUrl: limited.url, token, fetch: recording(attempts) });
  const waited = async (call: () => Promise<unknown>) => {
    await call();
    attempts.length = 0;
    await call();
    const [first, next] = attempts;
    assert.equal(first!.response!.status, 429);
    assert.match(first!.response!.headers.get('RateLimit')!, /;r=0;t=[12]$/);
    assert.ok(next!.at - first!.at >= Number(first!.response!.headers.get('Retry-After')) * 1000);
    assert.ok(next!.response!.ok);
  };
  await waited(() => api.getMe());
  await waited(() => api.registerUser({ body: { email: `${crypto.randomUUID()}@test.com`, name: 'New Comer', password: 'correct horse battery' } }));

  const write = () => api.createToken({ body: { name: 'Phone', abilities: ['me:read'] } });
  await write();
  attempts.length = 0;
  await assert.rejects(write(), (error) => {
    assert.ok(isProblem(error, 'rate_limited'));
    assert.ok(Number(error.headers.get('Retry-After')) > 10);
    return true;
  });
  assert.equal(attempts.length, 1);
});

test('after outcome_unknown, retrying with the same key returns the outcome', async () => {
  const { api, attempts, path } = await viaDatabase();
  let lost = false;
  database.onChunk = (chunk) => {
    const cut: boolean = !lost && chunk.includes('COMMIT\0');
    lost ||= cut;
    return cut ? 'cut' : 'pass';
  };
  const { data: booking, response } = await api.createBooking({ path, body: {} });
  assert.equal((await attempts[0]!.response!.json()).code, 'outcome_unknown');
  assert.equal(response.headers.get('Idempotent-Replayed'), 'true');
  assert.equal(attempts[1]!.key, attempts[0]!.key);
  assert.deepEqual((await bookings(api)).map(({ id }) => id), [booking.id]);
});

test('retries outlast a restart of the service', async () => {
  const { api, attempts, path } = await viaDatabase({ retry: { attempts: 20, longestPause: 500 } });
  const { host } = new URL(service.url);
  await service.stop();
  const call = api.createBooking({ path, body: {} });
  await new Promise((resolve) => setTimeout(resolve, 300));
  service = await startService({ ...second, ADDR: host });
  assert.equal((await call).data.status, 'confirmed');
  assert.ok(attempts.length > 1);
  assert.equal((await bookings(api)).length, 1);
});
