// Uses Swagger UI in a browser. It is not part of the client, but the browser tests are here.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { openTab } from './browser.js';
import { baseUrl, logIn, newAttendee, newEvent, newPassword } from './fixtures.js';
import { startService } from './service.js';

// Another process on the same database that lets nobody log in twice.
const limited = await startService({
  WORKERS: 'false',
  DATABASE_URL: `postgres://eventbooking@/eventbooking?host=${process.env['SERVICE_DATA']}/run&sslmode=disable`,
  RATE_LIMITS: 'logins=1/24h',
});
after(() => limited.stop());

const { tab, errors } = await openTab();
// Requests to other origins would fail without internet access.
const external: string[] = [];
await tab.route(
  (url) => url.origin !== baseUrl && url.origin !== limited.url && url.protocol !== 'data:',
  (route) => {
    external.push(route.request().url());
    return route.abort();
  },
);
await tab.goto(`${baseUrl}/docs`);

interface Input {
  parameters?: Record<string, string>;
  body?: object;
}

/** Executes an operation with "Try it out", and returns the response that the page shows. */
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
  const responded = tab.waitForResponse((response) => new URL(response.url()).pathname.startsWith('/api/'));
  await block.locator('button.execute').click();
  const status = (await responded).status();
  const row = block.locator('.live-responses-table tr.response');
  await row.filter({ has: tab.locator('.response-col_status', { hasText: String(status) }) }).waitFor();
  return { status, shown: JSON.parse(await row.locator('.highlight-code code').first().innerText()) };
}

/** Fills an input and leaves it: the page reads the text only then. */
async function fill(input: Locator, text: string): Promise<void> {
  await input.fill(text);
  await input.blur();
}

test('in Swagger UI, one can log in, authorize, list events, book and cancel', async () => {
  const { email } = await newAttendee();
  const { event, slots } = await newEvent(await logIn('organizer@test.com'), [1]);
  const slot_id = slots[0]!.id;

  const unauthorized = await tryOut('bookings', 'createBooking', { parameters: { slot_id }, body: { seats: 1 } });
  assert.equal(unauthorized.status, 401);

  const login = await tryOut('auth', 'loginUser', { body: { email, password: newPassword } });
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

test('Swagger UI shows a rate limit as the problem that it is', async () => {
  await tab.goto(`${limited.url}/docs`);
  const { email } = await newAttendee();
  const first = await tryOut('auth', 'loginUser', { body: { email, password: newPassword } });
  assert.equal(first.status, 200);
  const { status, shown } = await tryOut('auth', 'loginUser', { body: { email, password: newPassword } });
  assert.equal(status, 429);
  assert.equal(shown['code'], 'rate_limited');
  assert.match(String(shown['detail']), /Wait \d+ seconds\./);
  const headers = await tab.locator('#operations-auth-loginUser .live-responses-table .headerline').allInnerTexts();
  assert.ok(headers.some((line) => /^retry-after: \d+/.test(line.trim())), headers.join());
  assert.ok(headers.some((line) => line.trim().startsWith('ratelimit: "logins";r=0;t=')), headers.join());
});

test('Swagger UI works offline, and within the content security policy', () => {
  assert.deepEqual(external, []);
  assert.deepEqual(errors, []);
});
