import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { eventBooking, HttpError, isProblem, Problem, type ProblemCode } from 'eventbooking-client';
import { startGateway } from './gateway.js';
import { baseUrl, logIn, newAttendee, newEvent, recording, type Attempt } from './fixtures.js';

const anonymous = eventBooking({ baseUrl });
const organizer = await logIn('organizer@test.com');
const { api: attendee, email, token } = await newAttendee();
const { api: another } = await newAttendee();

// An event with a slot of one seat, which the attendee has booked, and a slot of five.
const { event, slots } = await newEvent(organizer, [1, 5], { waitlist_limit: 0 });
const [full, free] = slots.map(({ id }) => ({ slot_id: id })) as [{ slot_id: string }, { slot_id: string }];
const { data: booking } = await attendee.createBooking({ path: full, body: {} });
const own = { booking_id: booking.id };
const title = { title: 'Chamber concert', time_zone: 'Europe/Berlin' };

const refusals: [ProblemCode, number, () => Promise<unknown>][] = [
  ['invalid_parameter', 400, () => attendee.getBooking({ path: { booking_id: '1' } })],
  ['invalid_cursor', 400, () => anonymous.listEvents({ query: { cursor: 'mine' } })],
  ['idempotency_key_invalid', 400, () => attendee.createHold({ path: free, body: {}, headers: { 'Idempotency-Key': 'a b\tc' } })],
  ['token_missing', 401, () => anonymous.getMe()],
  ['token_invalid', 401, () => eventBooking({ baseUrl, token: 'evb_mine' }).getMe()],
  ['invalid_credentials', 401, () => anonymous.loginUser({ body: { email, password: 'wrong' } })],
  ['ability_missing', 403, () => lackAbility()],
  ['not_permitted', 403, () => attendee.createEvent({ body: title })],
  ['not_found', 404, () => another.getBooking({ path: own })],
  ['not_found', 404, () => anonymous.getProblem({ path: { code: 'unheard_of' } })],
  ['slot_full', 409, () => another.createBooking({ path: full, body: {} })],
  ['waitlist_full', 409, () => another.createBooking({ path: full, body: { if_full: 'waitlist' } })],
  ['already_booked', 409, () => attendee.createBooking({ path: full, body: {} })],
  ['hold_limit', 409, () => holdTooMuch()],
  ['booking_seat_limit', 409, () => bookTooMuch()],
  ['invalid_transition', 409, () => attendee.acceptOffer({ path: own }).then(() => attendee.declineOffer({ path: own }))],
  ['capacity_below_taken', 409, () => shrink()],
  ['event_has_bookings', 409, () => organizer.deleteSlot({ path: full, headers: { 'If-Match': '*' } })],
  ['email_taken', 409, () => anonymous.registerUser({ body: { email, name: 'Another', password: 'correct horse battery' } })],
  ['version_mismatch', 412, () => organizer.updateEvent({ path: { event_id: event.id }, headers: { 'If-Match': '"0"' }, body: { title: 'New' } })],
  ['body_too_large', 413, () => organizer.createEvent({ body: { ...title, description: 'x'.repeat(70_000) } })],
  ['validation_failed', 422, () => attendee.createBooking({ path: free, body: { seats: 0 } })],
  ['idempotency_key_reused', 422, () => reuseKey()],
  ['seats_exceed_capacity', 422, () => another.createBooking({ path: free, body: { seats: 6 } })],
  ['unknown_time_zone', 422, () => organizer.createEvent({ body: { ...title, time_zone: 'Europe/Atlantis' } })],
  ['invalid_time_range', 422, () => attendee.listConflicts({ query: { starts_at: slots[0]!.ends_at, ends_at: slots[0]!.starts_at } })],
  ['version_required', 428, () => organizer.deleteEvent({ path: { event_id: event.id } })],
];

for (const [code, status, call] of refusals) {
  test(`${status} ${code} is thrown as a problem`, async () => {
    const error = await call().then(() => undefined, (thrown: unknown) => thrown);
    assert.ok(isProblem(error), inspect(error));
    assert.equal(error.code, code);
    assert.equal(error.status, status);
    assert.equal(error.retryable, false);
    assert.ok(error.message.startsWith(`${code}: ${error.detail}`));
    assert.equal(error.headers.get('X-Request-Id'), error.request_id);
  });
}

test('a problem has the members of its code, and the compiler knows them', async () => {
  const caught = async (call: Promise<unknown>) => {
    const error = await call.then(() => undefined, (thrown: unknown) => thrown);
    assert.ok(error instanceof Problem);
    return error;
  };
  assert.equal((await caught(another.createBooking({ path: full, body: {} }))).waitlist_open, false);
  const twice = await caught(attendee.createBooking({ path: full, body: {} }));
  assert.ok(isProblem(twice, 'already_booked', 'booking_overlap'));
  // Compiles only because isProblem narrows the type: other codes may lack these members.
  const named: string[] = twice.code === 'already_booked' ? [twice.booking_id] : twice.booking_ids;
  assert.deepEqual(named, [booking.id]);
  assert.equal((await caught(another.createBooking({ path: free, body: { seats: 6 } }))).capacity, 5);
  const invalid = await caught(attendee.createBooking({ path: free, body: { seats: 0 } }));
  assert.equal(invalid.errors?.[0]?.pointer, '/seats');
  assert.match(invalid.message, /\n\/seats: must be at least 1$/);
  assert.ok(isProblem(invalid, 'slot_full', 'validation_failed'));
  assert.ok(!isProblem(invalid, 'slot_full'));
  assert.ok(!isProblem(new Error('something else')));
});

test('a logged problem does not reveal the token', async () => {
  const error = await attendee.createBooking({ path: full, body: {} }).catch((thrown: unknown) => thrown);
  assert.match(inspect(error), /already_booked/);
  assert.ok(!inspect(error, { depth: Infinity, showHidden: true }).includes(token));
});

test('with throwOnError: false, a problem is returned', async () => {
  const { data, error } = await attendee.createBooking({ path: full, body: {}, throwOnError: false });
  assert.equal(data, undefined);
  assert.equal(error?.code, 'already_booked');
});

test('a 502 of a proxy is retried, and thrown as an HttpError', async () => {
  const gateway = await startGateway(baseUrl);
  after(() => gateway.stop());
  const attempts: Attempt[] = [];
  const api = eventBooking({ baseUrl: gateway.url, fetch: recording(attempts), retry: { attempts: 3, pause: 1 } });
  let losses = 2;
  gateway.loses = () => losses-- > 0;
  await api.listEvents();
  assert.equal(attempts.length, 3);

  losses = 3;
  const error = await api.listEvents().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HttpError && !(error instanceof Problem));
  assert.equal(error.status, 502);
  assert.equal(error.message, `GET ${gateway.url}/api/v1/events: 502 Bad Gateway`);

  losses = 1;
  await assert.rejects(api.loginUser({ body: { email, password: 'password' } }), { name: 'HttpError', status: 502 });
});

async function holdTooMuch() {
  const { slots: large } = await newEvent(organizer, [100, 100, 100]);
  await attendee.createHold({ path: { slot_id: large[0]!.id }, body: { seats: 10 } });
  await attendee.createHold({ path: { slot_id: large[1]!.id }, body: { seats: 10 } });
  await attendee.createHold({ path: { slot_id: large[2]!.id }, body: {} });
}

async function bookTooMuch() {
  const { slots: large } = await newEvent(organizer, [100]);
  await another.createBooking({ path: { slot_id: large[0]!.id }, body: { seats: 11 } });
}

async function shrink() {
  const { slots: pair } = await newEvent(organizer, [2]);
  const path = { slot_id: pair[0]!.id };
  await another.createBooking({ path, body: { seats: 2 } });
  await organizer.updateSlot({ path, headers: { 'If-Match': '*' }, body: { capacity: 1 } });
}

async function reuseKey() {
  const headers = { 'Idempotency-Key': 'the-same' };
  await organizer.createEvent({ body: title, headers });
  await organizer.createEvent({ body: { ...title, title: 'Another' }, headers });
}

async function lackAbility() {
  const { data } = await attendee.createToken({ body: { name: 'Profile', abilities: ['me:read'] } });
  await eventBooking({ baseUrl, token: data.token }).listMyBookings();
}
