import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventBooking, type TokenProvider } from 'eventbooking-client';
import { baseUrl, newcomer, password, recording, type Attempt } from './world.js';

const anybody = eventBooking({ baseUrl });

/** A user whose first token has been revoked, and who logs in again when it is refused. */
async function loggedOut() {
  const { email, token, api } = await newcomer();
  await api.logoutUser();
  const refusals: string[] = [];
  const provider: TokenProvider = async (refused) => {
    if (refused === undefined) {
      return token;
    }
    refusals.push(refused);
    return (await anybody.loginUser({ body: { email, password } })).data.token;
  };
  return { email, token, refusals, provider };
}

test('a refused token is replaced, once, for all who wait for it', async () => {
  const { email, token, refusals, provider } = await loggedOut();
  const attempts: Attempt[] = [];
  const api = eventBooking({ baseUrl, token: provider, fetch: recording(attempts) });
  const answers = await Promise.all([api.getMe(), api.updateMe({ body: { name: 'Newer' } }), api.listTokens()]);
  assert.equal(answers[0].data.email, email);
  assert.deepEqual(refusals, [token]);
  assert.deepEqual(attempts.map(({ answer }) => answer?.status).sort(), [200, 200, 200, 401, 401, 401]);
});

test('a request is sent again once, not more', async () => {
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
  // Unless what was asked for the token comes up with one the next time.
  let broken = true;
  const api = eventBooking({ ...settings, token: (refused) => (refused && broken ? Promise.reject(new Error('offline')) : provider(refused)) });
  await assert.rejects(api.getMe(), { message: 'offline' });
  broken = false;
  await api.getMe();
});

test('without a token, what is open to everybody is', async () => {
  await eventBooking({ baseUrl, token: () => undefined }).listEvents();
  await assert.rejects(eventBooking({ baseUrl, token: () => undefined }).getMe(), { code: 'token_missing' });
});
