export { eventBooking, type EventBooking, type Settings } from './client.js';
export { HttpError, Problem, isProblem, type ProblemDetails, type ProblemWith } from './problem.js';
export { paginate, type Page } from './paginate.js';
export type { Retry } from './retry.js';
export type { Token as TokenProvider } from './token.js';
// The schemas of the API, and the inputs and outputs of each operation. The `Problem`
// exported above takes precedence over the schema of that name.
export type * from './generated/types.gen.js';
