import { problemOf } from './problem.js';
import type { Send } from './retry.js';

/**
 * A token, or where to get it. The function is asked with every request that
 * needs a token, so it should remember the one that it has. When the service
 * refuses a token, the function gets it, once, and may come up with another one:
 * then the request is sent again with that.
 */
export type Token = string | ((refused?: string) => string | undefined | Promise<string | undefined>);

const prefix = 'Bearer ';

/** Sends again, once, what came with a token that does not work any more. */
export function renewing(send: Send, token: Token | undefined): Send {
  if (typeof token !== 'function') {
    return send;
  }
  // The latest renewal: requests that are refused together wait for one and the same.
  let latest: { refused: string; renewed: Promise<string | undefined> } | undefined;
  const renew = (refused: string): Promise<string | undefined> => {
    if (latest?.refused !== refused) {
      const renewed = Promise.resolve(token(refused));
      latest = { refused, renewed };
      // What did not work out may be tried again.
      void renewed.catch(() => undefined).then((other) => {
        if (!other && latest?.renewed === renewed) {
          latest = undefined;
        }
      });
    }
    return latest.renewed;
  };

  return async (request) => {
    const answer = await send(request);
    const authorization = request.headers.get('Authorization');
    if (!authorization?.startsWith(prefix) || !(await refusesToken(answer))) {
      return answer;
    }
    const refused = authorization.slice(prefix.length);
    const renewed = await renew(refused);
    if (!renewed || renewed === refused) {
      return answer;
    }
    request.headers.set('Authorization', prefix + renewed);
    return send(request);
  };
}

async function refusesToken(answer: Response): Promise<boolean> {
  const problem = answer.status === 401 ? await problemOf(answer) : undefined;
  return problem?.code === 'token_invalid' || problem?.code === 'token_expired';
}
