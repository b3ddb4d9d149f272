// The end of the log: writes lines to the process's standard output and never waits for it. What the reader of a
// pipe has not taken is bounded; beyond that, lines are dropped and counted.

import type { Writable } from 'node:stream'

/** Bytes that wait for a slow reader, besides what the pipe itself holds. */
export const WRITER_BYTES_MAX = 1024 * 1024

export class LogWriter {
  /** Lines dropped, ever. */
  dropped = 0
  private readonly out: Writable
  private broken = false

  constructor(out: Writable) {
    this.out = out
    // A reader that went away must not end the process; the lines have nowhere to go.
    out.on('error', () => (this.broken = true))
  }

  /** `taken` is called once, when the lines have been written or dropped. */
  write(text: string, lines: number, taken: () => void = NOTHING): void {
    if (this.broken || this.out.writableLength > WRITER_BYTES_MAX) {
      this.dropped += lines
      taken()
      return
    }
    this.out.write(text, error => {
      if (error !== null && error !== undefined) this.dropped += lines
      taken()
    })
  }

  /** Resolves true when everything has been written, false when it has not been after `waitMs`. */
  drained(waitMs: number): Promise<boolean> {
    if (this.broken || this.out.writableLength === 0) return Promise.resolve(true)
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(false), waitMs)
      this.out.write('', () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }
}

const NOTHING = (): void => {}
