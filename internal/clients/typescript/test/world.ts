import { randomUUID } from 'node:crypto';
import { eventBooking, type Event, type EventBooking, type EventCreate, type Settings, type Slot } from 'eventbooking-client';

/** Where the service is that the tests run against. */
export const baseUrl = process.env['SERVICE_URL'] ?? '';
if (!baseUrl) {
  throw new Error('SERVICE_URL is not set: run the tests with npm test');
}

/** One attempt of a request, and what came of it: nothing when there was no answer. */
export interface Attempt {
  method: string;
  path: string;
  key: string | null;
  at: number;
  answer?: Response;
}

/** A `fetch` that writes down what it does. */
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
    const answer = await fetch(request, init);
    attempt.answer = answer.clone();
    return answer;
  };
}

/** Everybody's password, of the seeded users and of ours. */
export const password = 'password';

/** A client of one of the seeded users. */
export async function logIn(email: string, settings: Partial<Settings> = {}): Promise<EventBooking> {
  const { data } = await eventBooking({ baseUrl }).loginUser({ body: { email, password } });
  return eventBooking({ baseUrl, ...settings, token: data.token });
}

/** A new attendee, and a client of his. */
export async function newcomer(settings: Partial<Settings> = {}): Promise<{ email: string; token: string; api: EventBooking }> {
  const email = `${randomUUID()}@test.com`;
  const { data } = await eventBooking({ baseUrl }).registerUser({ body: { email, name: 'New Comer', password } });
  return { email, token: data.token, api: eventBooking({ baseUrl, ...settings, token: data.token }) };
}

let day = 300; // behind the seeded events, so that who looks for the next one finds one of those

/** The time of a slot that overlaps no other one of this test. */
export function nextTime(): { starts_at: string; ends_at: string } {
  const start = Date.now() + ++day * 24 * 3_600_000;
  return { starts_at: new Date(start).toISOString(), ends_at: new Date(start + 3_600_000).toISOString() };
}

/** A published event with a slot for each of these capacities. */
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
