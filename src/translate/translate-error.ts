// The one thing that is thrown in this folder: a prompt that cannot be read or must not be sent. It is an
// expected failure; a bug is an `assert`.

import type { ErrorKind, ErrorReply } from './errors.ts'

const STATUS: Partial<Record<ErrorKind, number>> = {
  too_large: 413,
  upstream: 502,
  incomplete_stream: 502,
  internal: 500,
}

/** Carries the error to be written in the caller's dialect. The message never quotes content, only members. */
export class TranslateError extends Error {
  readonly reply: ErrorReply

  constructor(kind: ErrorKind, message: string, param: string | null = null, code: string | null = null) {
    super(message)
    this.name = 'TranslateError'
    this.reply = {
      kind,
      status: STATUS[kind] ?? 400,
      message,
      param,
      code,
      retryAfterMs: null,
      from: 'gateway',
      requestId: null,
    }
  }

  get kind(): ErrorKind {
    return this.reply.kind
  }

  /** The request member at fault, as the caller would write it, or null. */
  get param(): string | null {
    return this.reply.param
  }

  get code(): string | null {
    return this.reply.code
  }
}

/** A reply that its dialect does not allow. The message says what is wrong and never quotes the reply. */
export function brokenReply(message: string): ErrorReply {
  return new TranslateError('upstream', `the upstream's reply is broken: ${message}`).reply
}

/** A reply that stopped before its end. */
export function incompleteReply(): ErrorReply {
  return new TranslateError('incomplete_stream', "the upstream's reply ended before it was complete").reply
}

export function assert(truth: boolean, message: string): asserts truth {
  if (!truth) throw new Error(`assertion failed: ${message}`)
}

/** Closes a switch over one of our own unions: the compiler proves that nothing is left. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
