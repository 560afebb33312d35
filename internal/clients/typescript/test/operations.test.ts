// Calls every operation successfully. The last test checks that none was left out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventBooking, type Booking } from 'eventbooking-client';
import { until } from './service.js';
import { baseUrl, logIn, newAttendee, newEvent, newPassword, nextTime, recording, type Attempt } from './fixtures.js';

const attempts: Attempt[] = [];
const settings = { fetch: recording(attempts) };
const anonymous = eventBooking({ baseUrl, ...settings });
const organizer = await logIn('organizer@test.com', settings);
const admin = await logIn('admin@test.com', settings);

test('a user can register, log in and log out', async () => {
  const email = `auth-${Date.now()}@test.com`;
  const registered = await anonymous.registerUser({ body: { email, name: 'New Comer', password: newPassword } });
  assert.equal(registered.response.status, 201);
  assert.equal(registered.data.user.email, email);
  assert.deepEqual(registered.data.abilities, ['*']);

  const { data: login } = await anonymous.loginUser({ body: { email, password: newPassword, abilities: ['me:read'] } });
  assert.deepEqual(login.abilities, ['me:read']);
  const api = eventBooking({ baseUrl, ...settings, token: login.token });
  assert.equal((await api.getMe()).data.id, registered.data.user.id);
  await api.logoutUser();
  await assert.rejects(api.getMe(), { code: 'token_invalid' });
});

test('users can edit their profile, password and tokens, and delete themselves', async () => {
  const { api, email } = await newAttendee(settings);
  const { data: me, response } = await api.getMe();
  assert.equal(me.email, email);
  assert.equal(me.role, 'attendee');
  const etag = response.headers.get('ETag');
  assert.ok(etag);
  await assert.rejects(api.getMe({ headers: { 'If-None-Match': etag } }), { name: 'HttpError', status: 304 });

  assert.equal((await api.updateMe({ body: { name: 'Newer Comer' } })).data.name, 'Newer Comer');
  await api.changePassword({ body: { current_password: newPassword, new_password: 'battery staple' } });
  await anonymous.loginUser({ body: { email, password: 'battery staple' } });

  const { data: token } = await api.createToken({ body: { name: 'Phone', abilities: ['bookings:read'] } });
  assert.match(token.token, /^evb_/);
  const named = async () => (await api.listTokens()).data.data.find(({ id }) => id === token.id)?.name;
  assert.equal(await named(), 'Phone');
  assert.equal((await api.getToken({ path: { token_id: token.id } })).data.name, 'Phone');
  await api.deleteToken({ path: { token_id: token.id } });
  assert.equal(await named(), undefined);

  await api.deleteMe({ body: { current_password: 'battery staple' } });
  await assert.rejects(api.getMe(), { status: 401 });
});

test('an administrator can find a user and make them an organizer', async () => {
  const { api, email } = await newAttendee(settings);
  const { data: found } = await admin.listUsers({ query: { email } });
  assert.equal(found.data.length, 1);
  const user_id = found.data[0]!.id;
  assert.equal((await admin.getUser({ path: { user_id } })).data.email, email);
  assert.equal((await admin.updateUser({ path: { user_id }, body: { role: 'organizer' } })).data.role, 'organizer');
  assert.equal((await api.getMe()).data.role, 'organizer');
});

test('an organizer can create, edit, publish, cancel and delete events', async () => {
  const { data: draft } = await organizer.createEvent({ body: { title: 'Recital for sawmill', time_zone: 'Europe/Berlin', waitlist_limit: 5, max_seats_per_user: 4 } });
  const path = { event_id: draft.id };
  assert.equal(draft.status, 'draft');
  assert.equal(draft.max_seats_per_booking, 10);
  assert.equal(draft.max_seats_per_user, 4);
  const read = await organizer.getEvent({ path });
  const { data: edited } = await organizer.updateEvent({
    path,
    headers: { 'If-Match': read.response.headers.get('ETag')! },
    body: { location: 'Great Hall, Berlin', waitlist_limit: null },
  });
  assert.equal(edited.location, 'Great Hall, Berlin');
  assert.equal(edited.waitlist_limit, null);

  const { data: slot } = await organizer.createSlot({ path, body: { ...nextTime(), capacity: 5 } });
  assert.equal(slot.seats_available, 5);
  assert.equal((await organizer.publishEvent({ path })).data.status, 'published');
  const { data: events } = await anonymous.listEvents({ query: { q: 'sawmill', available: true } });
  assert.deepEqual(events.data.map(({ id }) => id), [draft.id]);
  assert.equal((await organizer.cancelEvent({ path, body: { reason: 'The quartet is ill.' } })).data.status, 'cancelled');

  const { data: another } = await organizer.createEvent({ body: { title: 'Mistake', time_zone: 'UTC' } });
  await organizer.deleteEvent({ path: { event_id: another.id }, headers: { 'If-Match': '*' } });
  await assert.rejects(organizer.getEvent({ path: { event_id: another.id } }), { code: 'not_found' });
});

test('an organizer can edit, list, cancel and delete slots, and read their ledger', async () => {
  const { event, slots } = await newEvent(organizer, [1, 1]);
  const path = { slot_id: slots[0]!.id };
  const { data: slot, response } = await anonymous.getSlot({ path });
  assert.equal(slot.capacity, 1);
  const { data: larger } = await organizer.updateSlot({ path, headers: { 'If-Match': response.headers.get('ETag')! }, body: { capacity: 3 } });
  assert.equal(larger.seats_available, 3);
  assert.equal((await organizer.cancelSlot({ path, body: { reason: 'The hall is flooded.' } })).data.status, 'cancelled');
  const { data: ledger } = await organizer.getSlotLedger({ path });
  assert.deepEqual(ledger.data.map(({ kind }) => kind), ['opened', 'edited', 'slot_cancelled']);

  await organizer.deleteSlot({ path: { slot_id: slots[1]!.id }, headers: { 'If-Match': '*' } });
  const { data: left } = await anonymous.listSlots({ path: { event_id: event.id } });
  assert.deepEqual(left.data.map(({ id }) => id), [slot.id]);
});

test('an attendee can book, hold, change, move and cancel, and read the history', async () => {
  const { api } = await newAttendee(settings);
  const { event, slots } = await newEvent(organizer, [3, 3, 3, 3]);
  const [first, second, third, fourth] = slots.map(({ id }) => ({ slot_id: id })) as [Path, Path, Path, Path];

  const created = await api.createBooking({ path: first, body: { seats: 2 } });
  assert.equal(created.response.status, 201);
  assert.equal(created.data.status, 'confirmed');
  const path = { booking_id: created.data.id };
  assert.equal((await api.getBooking({ path })).data.seats, 2);
  assert.equal((await api.updateBooking({ path, body: { seats: 1 } })).data.seats, 1);
  const { data: conflicts } = await api.listConflicts({ query: { starts_at: slots[0]!.starts_at, ends_at: slots[0]!.ends_at } });
  assert.deepEqual(conflicts.data.map(({ id }) => id), [created.data.id]);
  const { data: preview } = await api.previewCancellation({ path });
  assert.equal(preview.allowed, true);
  assert.equal(preview.seats_freed, 1);

  const { data: moved } = await api.moveBooking({ path, body: second });
  assert.equal(moved.moved_from_booking_id, created.data.id);
  const { data: history } = await api.getBookingHistory({ path });
  assert.deepEqual(history.data.map(({ kind }) => kind), ['confirmed', 'resized', 'moved']);

  const { data: hold } = await api.createHold({ path: third, body: {} });
  assert.equal(hold.status, 'held');
  assert.ok(hold.expires_at);
  assert.equal((await api.confirmBooking({ path: { booking_id: hold.id } })).data.status, 'confirmed');
  const { data: bundle } = await api.createBookings({ body: { items: [{ ...fourth, seats: 3 }] } });
  assert.deepEqual(bundle.data.map(({ status }) => status), ['confirmed']);

  const { data: cancelled } = await api.cancelBooking({ path: { booking_id: hold.id }, body: { reason: 'Ill.' } });
  assert.equal(cancelled.status, 'cancelled');
  const { data: mine } = await api.listMyBookings({ query: { status: ['confirmed', 'held'], when: 'upcoming' } });
  assert.deepEqual(mine.data.map(({ id }) => id), [moved.id, bundle.data[0]!.id]);

  const door = { booking_id: moved.id };
  assert.ok((await organizer.checkInBooking({ path: door })).data.checked_in_at);
  assert.equal((await organizer.undoCheckIn({ path: door })).data.checked_in_at, null);
  const { data: ofEvent } = await organizer.listEventBookings({ path: { event_id: event.id } });
  assert.equal(ofEvent.data.length, 4);
  const { data: ofSlot } = await organizer.listSlotBookings({ path: second, query: { status: ['confirmed'] } });
  assert.deepEqual(ofSlot.data.map(({ id }) => id), [moved.id]);
});

test('the waitlist shows positions and reasons, and promotes when a seat is freed', async () => {
  const { slots } = await newEvent(organizer, [1]);
  const path = { slot_id: slots[0]!.id };
  const [early, late] = [(await newAttendee(settings)).api, (await newAttendee(settings)).api];
  const { data: taken } = await early.createBooking({ path, body: {} });
  const { data: waiting } = await late.createBooking({ path, body: { if_full: 'waitlist' } });
  assert.equal(waiting.waitlist_position, 1);

  const { data: position } = await late.getWaitlistPosition({ path: { booking_id: waiting.id } });
  assert.equal(position.position, 1);
  assert.equal(position.reasons[0]!.code, 'seats_taken');
  const { data: queue } = await organizer.getSlotWaitlist({ path });
  assert.deepEqual(queue.data.map(({ booking }) => booking.id), [waiting.id]);
  const { data: simulation } = await organizer.simulateSlot({ path, body: { cancellation_rate: 1, runs: 1 } });
  assert.equal(simulation.policies.length, 4);

  await early.cancelBooking({ path: { booking_id: taken.id }, body: {} });
  // The service's own worker may have promoted already.
  const { data: promotion } = await organizer.promoteSlot({ path });
  assert.ok(promotion.promoted.length <= 1);
  const promoted = await until('the promotion', () => inStatus(late, waiting.id, 'confirmed'));
  const { data: chain } = await late.getBookingChain({ path: { booking_id: promoted.id } });
  assert.equal(chain.causes[0]!.entry.kind, 'cancelled');
});

test('a declined offer goes to the next in line, who can accept it', async () => {
  const { slots } = await newEvent(organizer, [1], { waitlist_mode: 'offer' });
  const path = { slot_id: slots[0]!.id };
  const [early, next, last] = [(await newAttendee(settings)).api, (await newAttendee(settings)).api, (await newAttendee(settings)).api];
  const { data: taken } = await early.createBooking({ path, body: {} });
  const { data: first } = await next.createBooking({ path, body: { if_full: 'waitlist' } });
  const { data: second } = await last.createBooking({ path, body: { if_full: 'waitlist' } });
  await early.cancelBooking({ path: { booking_id: taken.id } });

  await until('the first offer', () => inStatus(next, first.id, 'offered'));
  assert.equal((await next.declineOffer({ path: { booking_id: first.id } })).data.status, 'cancelled');
  await until('the second offer', () => inStatus(last, second.id, 'offered'));
  assert.equal((await last.acceptOffer({ path: { booking_id: second.id } })).data.status, 'confirmed');
});

test('health, documentation and problem descriptions can be read', async () => {
  assert.equal((await anonymous.getLiveness()).data.status, 'alive');
  assert.equal((await anonymous.getReadiness()).data.status, 'ready');
  assert.match(await ((await anonymous.getSpecYaml()).data as Blob).text(), /^openapi: /);
  assert.equal((await anonymous.getSpecJson()).data['openapi'], '3.0.3');
  assert.match((await anonymous.getDocs()).data, /<html/i);
  const { data: problem } = await anonymous.getProblem({ path: { code: 'slot_full' }, headers: { Accept: 'application/json' } });
  assert.ok(typeof problem === 'object' && problem.status === 409);
});

test('every operation of the spec has been called successfully', async () => {
  const { data: spec } = await anonymous.getSpecJson();
  const succeeded = attempts.filter(({ response }) => response?.ok).map(({ method, path }) => `${method} ${path}`);
  const missing = Object.entries(spec['paths'] as Record<string, Record<string, { operationId?: string }>>).flatMap(([path, item]) => {
    const pattern = new RegExp(`^\\w+ ${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
    return Object.entries(item)
      .filter(([method]) => !succeeded.some((call) => call.startsWith(method.toUpperCase()) && pattern.test(call)))
      .flatMap(([, operation]) => operation.operationId ?? []);
  });
  assert.ok(succeeded.length > 0);
  assert.deepEqual(missing, []);
});

type Path = { slot_id: string };

async function inStatus(api: typeof anonymous, booking_id: string, status: Booking['status']): Promise<Booking | false> {
  const { data } = await api.getBooking({ path: { booking_id } });
  return data.status === status && data;
}
