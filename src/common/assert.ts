// Invariants. A failed one is a bug of ours, never a caller's mistake: it ends its exchange, or the
// process while it boots.

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws {@link AssertionError} unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Closes a `switch` over one of our own unions; the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${String(value)}`)
}
