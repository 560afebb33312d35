import { problemOf } from './problem.js';

/** Sends a request, and returns its response once that has been read completely. */
export type Send = (request: Request) => Promise<Response>;

/** How often, and after what pauses, a request is retried. Times are in milliseconds. */
export interface Retry {
  /** How often a request is sent at most; 1 disables retries. Default: 4. */
  attempts: number;
  /** The pause before the second attempt; it doubles with each further one. Default: 200. */
  pause: number;
  /** The upper limit of a pause. If `Retry-After` asks for more, the response is final. Default: 10,000. */
  longestPause: number;
}

export const defaultRetry: Retry = { attempts: 4, pause: 200, longestPause: 10_000 };

/** Sends a request again as long as that may succeed. */
export function withRetries(send: Send, { attempts, pause, longestPause }: Retry): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= attempts;
      // Between half and all of the pause, so that clients that failed together do not retry together.
      const backoff = Math.min(pause * 2 ** (attempt - 1), longestPause) * (0.5 + Math.random() / 2);
      let requested = 0;
      try {
        // A clone, because a body can be sent only once.
        const response = await send(request.clone());
        requested = retryAfter(response);
        if (last || requested > longestPause || !(await isWorthRetrying(request, response))) {
          return response;
        }
      } catch (error) {
        if (last || request.signal.aborted || !isRepeatable(request)) {
          throw error;
        }
      }
      await sleep(Math.min(requested + backoff, longestPause), request.signal);
    }
  };
}

/**
 * Whether a request has only one effect, however often it arrives: everything but a
 * POST without a key.
 */
function isRepeatable(request: Request): boolean {
  return request.method !== 'POST' || request.headers.has('Idempotency-Key');
}

async function isWorthRetrying(request: Request, response: Response): Promise<boolean> {
  const problem = await problemOf(response);
  if (problem) {
    // Except for this code, a retryable problem means that nothing was changed.
    return problem.retryable && (problem.code !== 'outcome_unknown' || isRepeatable(request));
  }
  // A proxy responded.
  return [429, 502, 503, 504].includes(response.status) && isRepeatable(request);
}

/** The pause that the response asks for, in milliseconds; 0 if none. */
function retryAfter(response: Response): number {
  const value = response.headers.get('Retry-After') ?? '0';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Math.max(wait || 0, 0);
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort, { once: true });
  });
}
