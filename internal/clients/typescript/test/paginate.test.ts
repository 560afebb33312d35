import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paginate } from 'eventbooking-client';
import { logIn, newAttendee, newEvent, recording, type Attempt } from './fixtures.js';

const attempts: Attempt[] = [];
const { api } = await newAttendee({ fetch: recording(attempts) });
const { event, slots } = await newEvent(await logIn('organizer@test.com'), [1, 1, 1, 1, 1]);
const path = { event_id: event.id };
const inTwos = () => paginate((page) => api.listSlots({ path, query: { limit: 2, ...page } }));

test('paginate yields all items in order and requests each page once', async () => {
  attempts.length = 0;
  const found: string[] = [];
  for await (const slot of inTwos()) {
    found.push(slot.id);
  }
  assert.deepEqual(found, slots.map(({ id }) => id));
  assert.equal(attempts.length, 3);
});

test('paginate requests a page only when it is needed', async () => {
  attempts.length = 0;
  for await (const slot of inTwos()) {
    assert.equal(slot.id, slots[0]!.id);
    break;
  }
  assert.equal(attempts.length, 1);
});

test('paginate throws if list ignores the cursor', async () => {
  attempts.length = 0;
  await assert.rejects(async () => {
    for await (const _ of paginate(() => api.listSlots({ path, query: { limit: 2 } })));
  }, /pass the cursor on in `list`/);
  assert.equal(attempts.length, 2);
});

test('paginate yields nothing for an empty list', async () => {
  for await (const booking of paginate((page) => api.listMyBookings({ query: page }))) {
    assert.fail(booking.id);
  }
});
