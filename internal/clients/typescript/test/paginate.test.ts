import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paginate } from 'eventbooking-client';
import { logIn, newcomer, newEvent, recording, type Attempt } from './world.js';

const attempts: Attempt[] = [];
const { api } = await newcomer({ fetch: recording(attempts) });
const { event, slots } = await newEvent(await logIn('organizer@test.com'), [1, 1, 1, 1, 1]);
const path = { event_id: event.id };
const inTwos = () => paginate((page) => api.listSlots({ path, query: { limit: 2, ...page } }));

test('it yields all items, in order, and asks for as many pages as there are', async () => {
  attempts.length = 0;
  const found: string[] = [];
  for await (const slot of inTwos()) {
    found.push(slot.id);
  }
  assert.deepEqual(found, slots.map(({ id }) => id));
  assert.equal(attempts.length, 3);
});

test('it asks for a page when it is needed', async () => {
  attempts.length = 0;
  for await (const slot of inTwos()) {
    assert.equal(slot.id, slots[0]!.id);
    break;
  }
  assert.equal(attempts.length, 1);
});

test('it does not turn in circles', async () => {
  attempts.length = 0;
  await assert.rejects(async () => {
    for await (const _ of paginate(() => api.listSlots({ path, query: { limit: 2 } })));
  }, /give `list` the cursor/);
  assert.equal(attempts.length, 2);
});

test('an empty list has no items', async () => {
  for await (const booking of paginate((page) => api.listMyBookings({ query: page }))) {
    assert.fail(booking.id);
  }
});
