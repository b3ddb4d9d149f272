// Makes parts come one at a time, for dialects that cannot hold two open side by side. Owns the queue. A call whose
// arguments are already a whole JSON value ends as soon as another part waits; the rest waits for `partEnd`.

import type { DialectId } from './dialect.ts'
import type { ErrorReply } from './errors.ts'
import type { Citation, MediaPart, Opaque } from './prompt.ts'
import type { CallHead, Finish, ProsePartKind, TokenLogprob, TurnHead, TurnSink } from './turn.ts'
import type { Usage } from './usage.ts'

/** Follows JSON text through any cuts and tells when the value is whole. */
class WholeValue {
  private depth = 0
  private inString = false
  private escaped = false
  whole = false

  feed(json: string): void {
    for (let index = 0; index < json.length && !this.whole; index++) {
      const code = json.charCodeAt(index)
      if (this.inString) {
        if (this.escaped) this.escaped = false
        else if (code === 0x5c) this.escaped = true
        else if (code === 0x22) this.inString = false
      } else if (code === 0x22) this.inString = true
      else if (code === 0x7b || code === 0x5b) this.depth += 1
      else if (code === 0x7d || code === 0x5d) {
        this.depth -= 1
        this.whole = this.depth <= 0
      }
    }
  }
}

type Waiting = (to: TurnSink) => void

class QueuedPart {
  readonly part: number
  readonly calls: Waiting[] = []
  readonly value: WholeValue | null
  ended = false

  constructor(part: number, value: WholeValue | null) {
    this.part = part
    this.value = value
  }
}

/** One choice only: the dialects that need this have one. */
export class SerialSink implements TurnSink {
  private readonly to: TurnSink
  /** The part that is open at the writer, or null. */
  private current: QueuedPart | null = null
  /** Parts that started while another was open, in order. Rare: only upstreams that interleave fill it. */
  private readonly queue: QueuedPart[] = []

  constructor(to: TurnSink) {
    this.to = to
  }

  start(head: TurnHead): void {
    this.to.start(head)
  }

  partStart(choice: number, part: number, kind: ProsePartKind): void {
    this.begin(new QueuedPart(part, null), to => to.partStart(choice, part, kind))
  }

  callStart(choice: number, part: number, call: CallHead): void {
    const value = call.custom ? null : new WholeValue()
    this.begin(new QueuedPart(part, value), to => to.callStart(choice, part, call))
  }

  text(choice: number, part: number, delta: string): void {
    if (this.current?.part === part) this.to.text(choice, part, delta)
    else this.wait(part, to => to.text(choice, part, delta))
  }

  section(choice: number, part: number): void {
    if (this.current?.part === part) this.to.section(choice, part)
    else this.wait(part, to => to.section(choice, part))
  }

  input(choice: number, part: number, json: string): void {
    if (this.current?.part !== part) {
      const queued = this.wait(part, to => to.input(choice, part, json))
      queued?.value?.feed(json)
      return
    }
    this.to.input(choice, part, json)
    this.current.value?.feed(json)
    if (this.queue.length > 0 && this.current.value?.whole) this.close(choice, part, true)
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    if (this.current?.part === part) this.to.opaque(choice, part, opaque)
    else this.wait(part, to => to.opaque(choice, part, opaque))
  }

  cite(choice: number, part: number, citation: Citation): void {
    if (this.current?.part === part) this.to.cite(choice, part, citation)
    else this.wait(part, to => to.cite(choice, part, citation))
  }

  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    if (this.current?.part === part) this.to.logprobs(choice, part, tokens)
    else this.wait(part, to => to.logprobs(choice, part, tokens))
  }

  partEnd(choice: number, part: number, complete: boolean): void {
    if (this.current?.part === part) this.close(choice, part, complete)
    else {
      const queued = this.wait(part, to => to.partEnd(choice, part, complete))
      if (queued !== null) queued.ended = true
    }
  }

  media(choice: number, part: number, media: MediaPart): void {
    this.whole(part, to => to.media(choice, part, media))
  }

  vendor(choice: number, part: number, dialect: DialectId, type: string, json: string): void {
    this.whole(part, to => to.vendor(choice, part, dialect, type, json))
  }

  finish(choice: number, finish: Finish): void {
    this.to.finish(choice, finish)
  }

  usage(usage: Usage): void {
    this.to.usage(usage)
  }

  ping(): void {
    this.to.ping()
  }

  extra(dialect: DialectId, name: string, json: string): void {
    this.to.extra(dialect, name, json)
  }

  end(): void {
    this.to.end()
  }

  fail(error: ErrorReply): void {
    this.to.fail(error)
  }

  private begin(part: QueuedPart, call: Waiting): void {
    if (this.current?.value?.whole) {
      // Arguments that are whole cannot grow; a late partEnd for this part finds nothing and is ignored.
      this.close(0, this.current.part, true)
    }
    if (this.current === null) {
      this.current = part
      call(this.to)
    } else {
      part.calls.push(call)
      this.queue.push(part)
    }
  }

  /** A part that is whole in one call. */
  private whole(part: number, call: Waiting): void {
    if (this.current === null) {
      call(this.to)
      return
    }
    const queued = new QueuedPart(part, null)
    queued.calls.push(call)
    queued.ended = true
    this.queue.push(queued)
  }

  /** Keeps a call for a part that is not open yet; null when the part has been closed already. */
  private wait(part: number, call: Waiting): QueuedPart | null {
    const queued = this.queue.find(candidate => candidate.part === part)
    queued?.calls.push(call)
    return queued ?? null
  }

  private close(choice: number, part: number, complete: boolean): void {
    this.to.partEnd(choice, part, complete)
    this.current = null
    for (;;) {
      const next = this.queue.shift()
      if (next === undefined) return
      for (const call of next.calls) call(this.to)
      if (next.ended) continue
      if (next.value?.whole && this.queue.length > 0) {
        this.to.partEnd(choice, next.part, true)
        continue
      }
      this.current = next
      return
    }
  }
}
