// Log lines on their way from a shard to the supervisor: in batches, with a bound, and with a window. A batch is
// sent when fewer than BATCHES_MAX are unanswered; the supervisor answers when the log has taken it. So a log that
// nobody reads fills this queue, and then lines are dropped and counted. Nothing here ever waits.

/** A batch leaves after this pause, so that one message carries many lines. */
const FLUSH_MS = 25

/** A batch of this many characters leaves at once. */
const BATCH_CHARS = 32 * 1024

/** Batches on their way that the log has not taken yet. */
const BATCHES_MAX = 4

/** Characters that wait in a shard; about 2,000 lines. */
export const QUEUE_CHARS_MAX = 512 * 1024

export interface LineBatch {
  /** Lines with their line breaks. */
  readonly text: string
  readonly lines: number
}

export class LineQueue {
  /** Lines dropped, ever. */
  dropped = 0
  private readonly send: (batch: LineBatch) => void
  private waiting: string[] = []
  private chars = 0
  private unanswered = 0
  private timer: NodeJS.Timeout | null = null

  constructor(send: (batch: LineBatch) => void) {
    this.send = send
  }

  add(line: string): void {
    if (this.chars + line.length > QUEUE_CHARS_MAX) {
      this.dropped += 1
      return
    }
    this.waiting.push(line)
    this.chars += line.length
    if (this.chars >= BATCH_CHARS) this.flush()
    else this.timer ??= setTimeout(this.onTimer, FLUSH_MS).unref()
  }

  /** The log has taken a batch, or dropped it. */
  taken(): void {
    this.unanswered = Math.max(0, this.unanswered - 1)
    if (this.chars >= BATCH_CHARS) this.flush()
    else if (this.waiting.length > 0) this.timer ??= setTimeout(this.onTimer, FLUSH_MS).unref()
  }

  /** Sends what waits, if the window allows. `always`: also if it does not; for the end of a shard. */
  flush(always = false): void {
    if (this.waiting.length === 0) return
    if (this.unanswered >= BATCHES_MAX && !always) return
    const { waiting } = this
    this.waiting = []
    this.chars = 0
    this.unanswered += 1
    this.send({ text: `${waiting.join('\n')}\n`, lines: waiting.length })
  }

  private readonly onTimer = (): void => {
    this.timer = null
    this.flush()
  }
}
