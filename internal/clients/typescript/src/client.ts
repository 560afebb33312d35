import { createClient, createConfig } from './generated/client/index.js';
import { keyed } from './generated/keyed.gen.js';
import * as operations from './generated/sdk.gen.js';
import type { Problem as Document } from './generated/types.gen.js';
import { HttpError, Problem } from './problem.js';
import { defaultRetry, withRetries, type Retry, type Send } from './retry.js';
import { withTokenRenewal, type Token } from './token.js';

/** The settings of a client. */
export interface Settings {
  /** The address of the service, such as `https://booking.example.com`. In a page of the same origin: `location.origin`. */
  baseUrl: string;
  /** Authenticates requests. Without it, only public operations work. */
  token?: Token;
  /** How often, and after what pauses, a request is retried. */
  retry?: Partial<Retry>;
  /** How many milliseconds one attempt may take, including reading the whole response. Default: 30,000. */
  timeout?: number;
  /** Sends requests instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** The operations of the API, by their `operationId`. */
export type EventBooking = { readonly [Name in keyof typeof operations]: (typeof operations)[Name] };

/** Creates a client of the service at `baseUrl`. */
export function eventBooking({ baseUrl, token, retry, timeout = 30_000, fetch: fetchOnce = fetch }: Settings): EventBooking {
  const send = withTokenRenewal(withRetries(withTimeout(fetchOnce, timeout), { ...defaultRetry, ...retry }), token);
  const client = createClient(
    createConfig({
      baseUrl,
      throwOnError: true,
      auth: () => (typeof token === 'function' ? token() : token),
      fetch: (request) => send(request as Request), // the generated client always sends one
    }),
  );
  // Set before the attempts, so that all of them have the same key.
  client.interceptors.request.use((request, { url }) => {
    if (keyed.has(`${request.method} ${url}`) && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', newKey());
    }
    return request;
  });
  client.interceptors.error.use((error, response, request) =>
    response && request && !response.ok ? toError(error, response, request) : error,
  );

  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      (options: object) => (operation as (options: object) => unknown)({ client, ...options }),
    ]),
  ) as EventBooking;
}

/** Sends one attempt and reads its whole response, so that a connection lost while reading is retried, too. */
function withTimeout(fetchOnce: typeof fetch, timeout: number): Send {
  return async (request) => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]);
    const response = await fetchOnce(request, { signal });
    const empty = response.status === 204 || response.status === 304; // `Response` accepts no body for these, not even an empty one
    return new Response(empty ? null : await response.arrayBuffer(), response);
  };
}

/** Returns 128 random bits in hexadecimal. `crypto.randomUUID` does not exist in pages that were loaded without TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns the error to throw for an unsuccessful response, whose body the generated client has read. */
function toError(body: unknown, response: Response, request: Request): HttpError {
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return new Problem(body as Document, response);
  }
  return new HttpError(`${request.method} ${request.url}: ${response.status} ${response.statusText}`.trim(), response);
}
