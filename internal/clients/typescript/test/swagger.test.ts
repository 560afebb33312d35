// Swagger UI as people use it, in a browser. It is none of the client's business, but there is a browser here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { openTab } from './browser.js';
import { baseUrl, logIn, newcomer, newEvent, password } from './world.js';

const { tab, mistakes } = await openTab();
// Whatever is not the service's own would be missing where there is no internet.
const elsewhere: string[] = [];
await tab.route(
  (url) => url.origin !== baseUrl && url.protocol !== 'data:',
  (route) => {
    elsewhere.push(route.request().url());
    return route.abort();
  },
);
await tab.goto(`${baseUrl}/docs`);

interface Input {
  parameters?: Record<string, string>;
  body?: object;
}

/** Tries an operation out, as by hand, and reads the answer that the page shows. */
async function tryOut(tag: string, operation: string, { parameters = {}, body }: Input = {}): Promise<{ status: number; shown: Record<string, unknown> }> {
  const block = tab.locator(`#operations-${tag}-${operation}`);
  if (!(await block.locator('.opblock-body').isVisible())) {
    await block.locator('.opblock-summary-control').click();
  }
  for (const [name, value] of Object.entries(parameters)) {
    await fill(block.locator(`tr[data-param-name="${name}"] input`), value);
  }
  if (body) {
    await fill(block.locator('textarea.body-param__text'), JSON.stringify(body));
  }
  const answered = tab.waitForResponse((answer) => answer.url().startsWith(`${baseUrl}/api/`));
  await block.locator('button.execute').click();
  const status = (await answered).status();
  const answer = block.locator('.live-responses-table tr.response');
  await answer.filter({ has: tab.locator('.response-col_status', { hasText: String(status) }) }).waitFor();
  return { status, shown: JSON.parse(await answer.locator('.highlight-code code').first().innerText()) };
}

/** Fills as a keyboard does, which the page waits a moment for. */
async function fill(input: Locator, text: string): Promise<void> {
  await input.fill(text);
  await input.blur();
}

test('log in, authorize, list, book, book again, cancel', async () => {
  const { email } = await newcomer();
  const { event, slots } = await newEvent(await logIn('organizer@test.com'), [1]);
  const slot_id = slots[0]!.id;

  const stranger = await tryOut('bookings', 'createBooking', { parameters: { slot_id }, body: { seats: 1 } });
  assert.equal(stranger.status, 401);

  const login = await tryOut('auth', 'loginUser', { body: { email, password } });
  assert.equal(login.status, 200);
  await tab.locator('button.authorize.unlocked').first().click();
  const dialog = tab.locator('.dialog-ux');
  await dialog.locator('input').fill(String(login.shown['token']));
  await dialog.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Close' }).first().click();

  const events = await tryOut('events', 'listEvents', { parameters: { q: event.title } });
  assert.equal(events.status, 200);
  assert.ok((events.shown['data'] as object[]).length > 0);

  const booked = await tryOut('bookings', 'createBooking', { parameters: { slot_id }, body: { seats: 1 } });
  assert.equal(booked.status, 201);
  assert.equal(booked.shown['status'], 'confirmed');

  const again = await tryOut('bookings', 'createBooking', { parameters: { slot_id }, body: { seats: 1 } });
  assert.equal(again.status, 409);
  assert.equal(again.shown['code'], 'already_booked');

  const booking_id = String(booked.shown['id']);
  const cancelled = await tryOut('bookings', 'cancelBooking', { parameters: { booking_id }, body: {} });
  assert.equal(cancelled.status, 200);
  assert.equal(cancelled.shown['status'], 'cancelled');
});

test('nothing is missing offline, and the content security policy is in nobody’s way', () => {
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(mistakes, []);
});
