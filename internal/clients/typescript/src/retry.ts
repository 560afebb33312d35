import { problemOf } from './problem.js';

/** Sends a request, and comes back with an answer that has been read to its end. */
export type Send = (request: Request) => Promise<Response>;

/** How long to go on, and how patiently. Times are in milliseconds. */
export interface Retry {
  /** How often a request is sent at most; 1 is never again. Default: 4. */
  attempts: number;
  /** The pause before the second attempt; it doubles with each. Default: 200. */
  pause: number;
  /** No pause is longer. When `Retry-After` asks for more, the answer is final. Default: 10,000. */
  longestPause: number;
}

export const defaultRetry: Retry = { attempts: 4, pause: 200, longestPause: 10_000 };

/** Sends again what may be answered better the next time. */
export function retrying(send: Send, { attempts, pause, longestPause }: Retry): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= attempts;
      // Between half and all of it, so that those who failed together do not come back together.
      const backoff = Math.min(pause * 2 ** (attempt - 1), longestPause) * (0.5 + Math.random() / 2);
      let asked = 0;
      try {
        // A clone, because a body can be sent only once.
        const answer = await send(request.clone());
        asked = retryAfter(answer);
        if (last || asked > longestPause || !(await worthRepeating(request, answer))) {
          return answer;
        }
      } catch (error) {
        if (last || request.signal.aborted || !repeatable(request)) {
          throw error;
        }
      }
      await sleep(Math.min(asked + backoff, longestPause), request.signal);
    }
  };
}

/**
 * Whether a request has one effect, however often it arrives: all but a POST
 * without a key.
 */
function repeatable(request: Request): boolean {
  return request.method !== 'POST' || request.headers.has('Idempotency-Key');
}

async function worthRepeating(request: Request, answer: Response): Promise<boolean> {
  const problem = await problemOf(answer);
  if (problem) {
    // But for this one code, a retryable problem means that nothing was changed.
    return problem.retryable && (problem.code !== 'outcome_unknown' || repeatable(request));
  }
  // Something between us and the service answered.
  return [429, 502, 503, 504].includes(answer.status) && repeatable(request);
}

/** In how many milliseconds to try again, in the answer's opinion. */
function retryAfter(answer: Response): number {
  const value = answer.headers.get('Retry-After') ?? '0';
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
