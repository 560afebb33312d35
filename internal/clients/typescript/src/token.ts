import { problemOf } from './problem.js';
import type { Send } from './retry.js';

/**
 * A token, or a function that returns it. The function is called for every request
 * that needs a token, so it should cache the one that it has. When the service
 * refuses a token, the function is called once with the refused token; if it returns
 * another one, the request is sent again with that.
 */
export type Token = string | ((refused?: string) => string | undefined | Promise<string | undefined>);

const prefix = 'Bearer ';

/** Sends a request once more with a new token, if its token was refused. */
export function withTokenRenewal(send: Send, token: Token | undefined): Send {
  if (typeof token !== 'function') {
    return send;
  }
  // The latest renewal: requests that are refused together share it.
  let latest: { refused: string; renewed: Promise<string | undefined> } | undefined;
  const renew = (refused: string): Promise<string | undefined> => {
    if (latest?.refused !== refused) {
      const renewed = Promise.resolve(token(refused));
      latest = { refused, renewed };
      // A renewal that failed may be tried again.
      void renewed.catch(() => undefined).then((other) => {
        if (!other && latest?.renewed === renewed) {
          latest = undefined;
        }
      });
    }
    return latest.renewed;
  };

  return async (request) => {
    const response = await send(request);
    const authorization = request.headers.get('Authorization');
    if (!authorization?.startsWith(prefix) || !(await refusesToken(response))) {
      return response;
    }
    const refused = authorization.slice(prefix.length);
    const renewed = await renew(refused);
    if (!renewed || renewed === refused) {
      return response;
    }
    request.headers.set('Authorization', prefix + renewed);
    return send(request);
  };
}

async function refusesToken(response: Response): Promise<boolean> {
  const problem = response.status === 401 ? await problemOf(response) : undefined;
  return problem?.code === 'token_invalid' || problem?.code === 'token_expired';
}
