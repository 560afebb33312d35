import { createClient, createConfig } from './generated/client/index.js';
import { keyed } from './generated/keyed.gen.js';
import * as operations from './generated/sdk.gen.js';
import type { Problem as Document } from './generated/types.gen.js';
import { HttpError, Problem } from './problem.js';
import { defaultRetry, retrying, type Retry, type Send } from './retry.js';
import { renewing, type Token } from './token.js';

/** What a client needs to know. */
export interface Settings {
  /** Where the service is, such as `https://booking.example.com`. In a page that it serves: `location.origin`. */
  baseUrl: string;
  /** Who is asking. Without it, only what is open to everybody works. */
  token?: Token;
  /** How often, and after what pauses, a request is sent again. */
  retry?: Partial<Retry>;
  /** How many milliseconds one attempt may take, from the first byte to the last. Default: 30,000. */
  timeout?: number;
  /** What to send with, instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** The operations of the API, by their names there. */
export type EventBooking = { readonly [Name in keyof typeof operations]: (typeof operations)[Name] };

/** A client of the service at `baseUrl`. */
export function eventBooking({ baseUrl, token, retry, timeout = 30_000, fetch: via = fetch }: Settings): EventBooking {
  const send = renewing(retrying(reading(via, timeout), { ...defaultRetry, ...retry }), token);
  const client = createClient(
    createConfig({
      baseUrl,
      throwOnError: true,
      auth: () => (typeof token === 'function' ? token() : token),
      fetch: (request) => send(request as Request), // the generated client always sends one
    }),
  );
  // Here, and not with each attempt, so that all attempts have the same key.
  client.interceptors.request.use((request, { url }) => {
    if (keyed.has(`${request.method} ${url}`) && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', newKey());
    }
    return request;
  });
  client.interceptors.error.use((error, answer, request) => (answer && request && !answer.ok ? failure(error, answer, request) : error));

  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      (options: object) => (operation as (options: object) => unknown)({ client, ...options }),
    ]),
  ) as EventBooking;
}

/** Reads the whole answer, too, so that a connection that breaks in the middle of it is worth another attempt. */
function reading(via: typeof fetch, timeout: number): Send {
  return async (request) => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]);
    const answer = await via(request, { signal });
    const empty = answer.status === 204 || answer.status === 304; // for these, even no bytes are too many
    return new Response(empty ? null : await answer.arrayBuffer(), answer);
  };
}

/** 128 random bits. `crypto.randomUUID` is not there in pages that come without TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What to throw for an answer that is no success, with what the generated client has read of it. */
function failure(body: unknown, answer: Response, request: Request): HttpError {
  if (answer.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return new Problem(body as Document, answer);
  }
  return new HttpError(`${request.method} ${request.url}: ${answer.status} ${answer.statusText}`.trim(), answer);
}
