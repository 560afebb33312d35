export { eventBooking, type EventBooking, type Settings } from './client.js';
export { HttpError, Problem, isProblem, type ProblemDetails, type ProblemWith } from './problem.js';
export { paginate, type Page } from './paginate.js';
export type { Retry } from './retry.js';
export type { Token as TokenProvider } from './token.js';
// The schemas of the API, and what each operation takes and answers with. What is
// exported above by the same name (`Problem`) comes first.
export type * from './generated/types.gen.js';
