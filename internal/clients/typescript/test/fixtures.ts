import { randomInt, randomUUID } from 'node:crypto';
import { eventBooking, type Event, type EventBooking, type EventCreate, type Settings, type Slot } from 'eventbooking-client';

/** The address of the service that the tests run against. */
export const baseUrl = process.env['SERVICE_URL'] ?? '';
if (!baseUrl) {
  throw new Error('SERVICE_URL is not set: run the tests with npm test');
}

/** One attempt of a request; without a response if none arrived. */
export interface Attempt {
  method: string;
  path: string;
  key: string | null;
  at: number;
  response?: Response;
}

/** Returns a `fetch` that records its attempts. */
export function recording(attempts: Attempt[]): typeof fetch {
  return async (input, init) => {
    const request = input as Request;
    const attempt: Attempt = {
      method: request.method,
      path: new URL(request.url).pathname,
      key: request.headers.get('Idempotency-Key'),
      at: Date.now(),
    };
    attempts.push(attempt);
    const response = await fetch(request, init);
    attempt.response = response.clone();
    return response;
  };
}

/** Returns a `fetch` from an address of its own, as a proxy would pass it on: the people of the tests are not all behind one. */
function fromElsewhere(): typeof fetch {
  const address = `198.18.${randomInt(256)}.${randomInt(256)}`;
  return (input, init) => {
    (input as Request).headers.set('X-Forwarded-For', address);
    return fetch(input, init);
  };
}

/** The password of the seeded users. */
const password = 'password';

/** The password of new users: that of the seeded ones is refused as too easy to guess. */
export const newPassword = 'correct horse battery';

/** Logs in as one of the seeded users. */
export async function logIn(email: string, settings: Partial<Settings> = {}): Promise<EventBooking> {
  const { data } = await eventBooking({ baseUrl, fetch: fromElsewhere() }).loginUser({ body: { email, password } });
  return eventBooking({ baseUrl, ...settings, token: data.token });
}

/** Registers a new attendee. */
export async function newAttendee(settings: Partial<Settings> = {}): Promise<{ email: string; token: string; api: EventBooking }> {
  const email = `${randomUUID()}@test.com`;
  const { data } = await eventBooking({ baseUrl, fetch: fromElsewhere() }).registerUser({ body: { email, name: 'New Comer', password: newPassword } });
  return { email, token: data.token, api: eventBooking({ baseUrl, ...settings, token: data.token }) };
}

let day = 300; // after the seeded events, so that tests looking for the next event find a seeded one

/** Returns the times of a slot that overlaps no other slot of this test file. */
export function nextTime(): { starts_at: string; ends_at: string } {
  const start = Date.now() + ++day * 24 * 3_600_000;
  return { starts_at: new Date(start).toISOString(), ends_at: new Date(start + 3_600_000).toISOString() };
}

/** Publishes an event with one slot per capacity. */
export async function newEvent(
  organizer: EventBooking,
  capacities: number[],
  rules: Partial<EventCreate> = {},
): Promise<{ event: Event; slots: Slot[] }> {
  const { data: event } = await organizer.createEvent({ body: { title: 'Chamber concert', time_zone: 'Europe/Berlin', ...rules } });
  const path = { event_id: event.id };
  const slots: Slot[] = [];
  for (const capacity of capacities) {
    slots.push((await organizer.createSlot({ path, body: { ...nextTime(), capacity } })).data);
  }
  return { event: (await organizer.publishEvent({ path })).data, slots };
}
