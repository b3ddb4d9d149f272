// How a command ends: exit codes, and the one error a command throws when it cannot do what was asked.

/** Exit codes of every command but `serve`, which has its own (see `src/serve.ts`). */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Not done, or the answer is no: a wrong file, a taken port, nothing running. */
  failed: 1,
  /** Used wrongly: an unknown command, option or name of something. */
  usage: 2,
  /** Done, and running exchanges were cut by it. */
  cut: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A failure a person can read. Lines after the first say what to do. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: ExitCode

  constructor(message: string, code: ExitCode = EXIT.failed) {
    super(message)
    this.code = code
  }
}
