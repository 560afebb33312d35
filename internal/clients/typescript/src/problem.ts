import type { Members } from './generated/members.gen.js';
import type { Problem as Document, ProblemCode } from './generated/types.gen.js';

/** The members of a problem that the API documents. */
export type ProblemDetails = Known<Document>;

/** T without its index signature, so that a misspelt member is an error. */
type Known<T> = { [Name in keyof T as string extends Name ? never : Name]: T[Name] };

/**
 * An answer that is no success. What has no answer at all, such as a network
 * error, stays what `fetch` threw.
 */
export class HttpError extends Error {
  override readonly name: string = 'HttpError';
  readonly status: number;
  readonly headers: Headers;

  constructor(message: string, answer: Response) {
    super(message);
    this.status = answer.status;
    this.headers = answer.headers;
  }
}

/**
 * A problem that the API answered with. It has all members of the problem
 * document; match on `code`, and treat one that you do not know like its
 * `status`: more codes may be added.
 */
export class Problem extends HttpError {
  override readonly name = 'Problem';

  constructor(document: Document, answer: Response) {
    const places = (document.errors ?? []).map((error) => `${error.pointer ?? error.parameter}: ${error.detail}`);
    super([`${document.code}: ${document.detail}`, ...places].join('\n'), answer);
    Object.assign(this, document);
  }
}
export interface Problem extends Readonly<ProblemDetails> {}

/** A problem of one of these codes, with the members that always come with it. */
export type ProblemWith<Code extends ProblemCode> = Code extends keyof Members
  ? Problem & { code: Code } & Required<Pick<ProblemDetails, Members[Code]>>
  : Problem & { code: Code };

/**
 * Whether something that was thrown is a problem, with one of these codes if
 * there are any.
 */
export function isProblem<Code extends ProblemCode = ProblemCode>(error: unknown, ...codes: Code[]): error is ProblemWith<Code> {
  return error instanceof Problem && (codes.length === 0 || (codes as string[]).includes(error.code));
}

/** The problem document that an answer consists of, if it does. The answer can still be read. */
export async function problemOf(answer: Response): Promise<Document | undefined> {
  if (answer.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return answer.clone().json();
  }
  return undefined;
}
