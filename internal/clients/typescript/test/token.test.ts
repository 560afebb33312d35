import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventBooking, type TokenProvider } from 'eventbooking-client';
import { baseUrl, newAttendee, newPassword, recording, type Attempt } from './fixtures.js';

const anonymous = eventBooking({ baseUrl });

/** Returns a user whose first token is revoked, with a token provider that logs in again when a token is refused. */
async function loggedOut() {
  const { email, token, api } = await newAttendee();
  await api.logoutUser();
  const refusals: string[] = [];
  const provider: TokenProvider = async (refused) => {
    if (refused === undefined) {
      return token;
    }
    refusals.push(refused);
    return (await anonymous.loginUser({ body: { email, password: newPassword } })).data.token;
  };
  return { email, token, refusals, provider };
}

test('a refused token is renewed once for all requests that were refused with it', async () => {
  const { email, token, refusals, provider } = await loggedOut();
  const attempts: Attempt[] = [];
  const api = eventBooking({ baseUrl, token: provider, fetch: recording(attempts) });
  const results = await Promise.all([api.getMe(), api.updateMe({ body: { name: 'Newer' } }), api.listTokens()]);
  assert.equal(results[0].data.email, email);
  assert.deepEqual(refusals, [token]);
  assert.deepEqual(attempts.map(({ response }) => response?.status).sort(), [200, 200, 200, 401, 401, 401]);
});

test('a request with a refused token is sent again at most once', async () => {
  const { token, provider } = await loggedOut();
  const attempts: Attempt[] = [];
  const settings = { baseUrl, fetch: recording(attempts) };
  await assert.rejects(eventBooking({ ...settings, token: (refused) => (refused ? 'evb_another' : token) }).getMe(), { code: 'token_invalid' });
  assert.equal(attempts.length, 2);
  for (const same of [token, () => token, (refused?: string) => (refused ? undefined : token)]) {
    attempts.length = 0;
    await assert.rejects(eventBooking({ ...settings, token: same }).getMe(), { code: 'token_invalid' });
    assert.equal(attempts.length, 1);
  }
  // A renewal that failed does not prevent the next one.
  let broken = true;
  const api = eventBooking({ ...settings, token: (refused) => (refused && broken ? Promise.reject(new Error('offline')) : provider(refused)) });
  await assert.rejects(api.getMe(), { message: 'offline' });
  broken = false;
  await api.getMe();
});

test('without a token, public operations work and others are refused', async () => {
  await eventBooking({ baseUrl, token: () => undefined }).listEvents();
  await assert.rejects(eventBooking({ baseUrl, token: () => undefined }).getMe(), { code: 'token_missing' });
});
