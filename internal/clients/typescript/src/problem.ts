import type { Members } from './generated/members.gen.js';
import type { Problem as Document, ProblemCode } from './generated/types.gen.js';

/** The members of a problem that the API documents. */
export type ProblemDetails = Known<Document>;

/** T without its index signature, so that a misspelt member is an error. */
type Known<T> = { [Name in keyof T as string extends Name ? never : Name]: T[Name] };

/**
 * An unsuccessful response. If there was no response at all, as after a network
 * error, the error that `fetch` threw is passed on instead.
 */
export class HttpError extends Error {
  override readonly name: string = 'HttpError';
  readonly status: number;
  readonly headers: Headers;

  constructor(message: string, response: Response) {
    super(message);
    this.status = response.status;
    this.headers = response.headers;
  }
}

/**
 * An error response of the API, with all members of the problem document. Match on
 * `code`. Later versions may add codes: treat an unknown one by its `status`.
 */
export class Problem extends HttpError {
  override readonly name = 'Problem';

  constructor(document: Document, response: Response) {
    const places = (document.errors ?? []).map((error) => `${error.pointer ?? error.parameter}: ${error.detail}`);
    super([`${document.code}: ${document.detail}`, ...places].join('\n'), response);
    Object.assign(this, document);
  }
}
export interface Problem extends Readonly<ProblemDetails> {}

/** A problem with one of these codes, and the members that it always has. */
export type ProblemWith<Code extends ProblemCode> = Code extends keyof Members
  ? Problem & { code: Code } & Required<Pick<ProblemDetails, Members[Code]>>
  : Problem & { code: Code };

/**
 * Whether something that was thrown is a problem, and has one of these codes if any
 * are given.
 */
export function isProblem<Code extends ProblemCode = ProblemCode>(error: unknown, ...codes: Code[]): error is ProblemWith<Code> {
  return error instanceof Problem && (codes.length === 0 || (codes as string[]).includes(error.code));
}

/** Returns the problem document in a response, or undefined if there is none. The response can still be read. */
export async function problemOf(response: Response): Promise<Document | undefined> {
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return response.clone().json();
  }
  return undefined;
}
