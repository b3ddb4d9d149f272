// Relays server-sent events. Owns what is written when they break off, and the one event that may be hidden.
//
// A torn event cannot be taken back. It is ended so that the error form behind it is an event of its own, and so
// that its dialect's clients ignore it or fail on it in their own words:
// - in the middle of a line the line is ended first, and a line break after CR only completes a CRLF;
// - Messages: the torn event gets a second `event: ping` line, the last name counts, and clients skip a ping
//   without reading its data;
// - Chat, Responses, Gemini: the torn JSON is closed with an `error` member, which their clients throw. What might
//   then look like the end of the reply, or is long, stays torn: clients fail on it too, but as on broken JSON.

import { ByteOut } from '../bytes/byte-out.ts'
import { ByteQueue } from '../bytes/byte-queue.ts'
import type { ErrorReply } from '../errors.ts'
import type { ByteSink, ReplyFacts, ReplyPath } from '../reply-path.ts'
import { brokenReply, incompleteReply } from '../translate-error.ts'
import { MemberScanner } from './member-scanner.ts'
import { type EventWatcher, SseScanner } from './sse-scanner.ts'
import { closingOf } from './torn-json.ts'
import type { Watch } from './watch.ts'

/** A generated image of this size is the largest single event that upstreams send; nothing of it is held here. */
const EVENT_BYTES_MAX = 32 * 1024 * 1024

/**
 * Start of an event that may turn out to tell usage only. A usage event is shorter than a kilobyte; what grows
 * beyond this is shown, whatever it is.
 */
const HELD_BYTES_MAX = 64 * 1024

export class RelayedEvents implements ReplyPath, EventWatcher {
  readonly facts: ReplyFacts
  protected readonly watch: Watch
  protected readonly out: ByteSink
  protected readonly json: MemberScanner
  protected readonly events: SseScanner
  /** Passed the bound; whatever follows is dropped. */
  private deaf: boolean

  constructor(watch: Watch, out: ByteSink) {
    this.watch = watch
    this.facts = watch.facts
    this.out = out
    this.json = new MemberScanner(watch.root, watch)
    this.events = new SseScanner(this.json, watch, this)
    this.deaf = false
  }

  write(chunk: Uint8Array): void {
    if (this.deaf) return
    this.pass(chunk)
    if (this.events.eventBytes > EVENT_BYTES_MAX) this.overflow()
  }

  end(): void {
    if (this.facts.state !== 'open') return
    const error = incompleteReply()
    const torn = this.finish(error)
    if (this.facts.state === 'open' && torn.whole && this.watch.mayEnd) this.watch.facts.complete()
    this.breakOff(error, torn.ending)
  }

  cut(error: ErrorReply): void {
    if (this.facts.state !== 'open') return
    // Clients of Chat stop at these bytes, blank line or not: what they take for a success is one.
    if (this.events.isDone) {
      this.end()
      return
    }
    this.breakOff(error, this.tornEnding(error))
  }

  get betweenEvents(): boolean {
    return this.events.between && !this.deaf
  }

  eventEnded(_at: number): boolean {
    return this.read()
  }

  eventRepeated(_at: number): void {
    this.watch.forget()
  }

  lineFeedEnded(_at: number): void {}

  protected pass(chunk: Uint8Array): void {
    this.events.scan(chunk)
    this.out.write(chunk)
  }

  /** The end of the input is the end of its last event. Tells what a break here must write first. */
  protected finish(error: ErrorReply): Finished {
    const ending = this.tornEnding(error)
    const whole = this.isWhole
    this.events.finish()
    return { ending, whole }
  }

  /** What must be written so that the next event is one of its own. */
  protected tornEnding(error: ErrorReply): string {
    const { events, watch } = this
    const ending = events.tornEnding(watch.tornLines)
    if (this.json.whole) return ending
    const prefix = events.dataPrefix
    const torn = prefix === null ? events.tornData : '{'
    const member = torn === '' ? '' : watch.tornMember(error, `${events.name}\n${torn}`)
    const closing = member === '' ? null : closingOf(torn)
    if (closing === null) return ending
    const comma = closing.comma ? ',' : ''
    return `${prefix === null ? '' : `${prefix}{`}${closing.text}${comma}${member}}\n\n`
  }

  /** The current event, if any, needs nothing but its blank line. */
  protected get isWhole(): boolean {
    const { events } = this
    if (!events.hasData) return events.atLineStart
    return events.isDone || (this.json.whole && !events.isOdd)
  }

  /** What the event that ends here says. True if it may come again and mean nothing new. */
  protected read(): boolean {
    const { events, watch } = this
    if (!events.hasData) return false
    if (events.isDone) watch.done()
    else if (events.isOdd || !this.json.whole) watch.forget()
    else return watch.document(events.eventName, events.eventNameUsed) && this.facts.contentSeen
    return false
  }

  /** Ends what is torn and writes the error form, unless the reply is complete or has failed in its own words. */
  protected breakOff(error: ErrorReply, ending: string): void {
    if (this.facts.state !== 'open') return
    this.watch.facts.fail(error)
    const form = new ByteOut()
    form.text(ending)
    this.watch.errorForm(form, error)
    form.flush(this.out)
  }

  private overflow(): void {
    this.deaf = true
    const error = brokenReply(`an event is longer than ${EVENT_BYTES_MAX} bytes`)
    this.breakOff(error, this.tornEnding(error))
  }
}

interface Finished {
  readonly ending: string
  /** The last event was not torn. */
  readonly whole: boolean
}

/** The same without the event that tells usage only. */
export class HidingEvents extends RelayedEvents {
  private readonly held: ByteQueue
  private chunk: Uint8Array
  /** What has not been passed on starts here. */
  private showFrom: number
  /** The current event starts here; 0 when it started in an earlier chunk. */
  private eventFrom: number
  private hidLast: boolean
  /** The current event outgrew the bound and is shown whatever it says. */
  private shown: boolean

  constructor(watch: Watch, out: ByteSink) {
    super(watch, out)
    this.held = new ByteQueue(HELD_BYTES_MAX)
    this.chunk = NO_BYTES
    this.showFrom = 0
    this.eventFrom = 0
    this.hidLast = false
    this.shown = false
  }

  protected override pass(chunk: Uint8Array): void {
    this.chunk = chunk
    this.showFrom = 0
    this.eventFrom = 0
    this.events.scan(chunk)
    const { eventFrom } = this
    if (eventFrom === chunk.length || !this.undecided) this.showTo(chunk.length)
    else {
      this.showTo(eventFrom)
      this.hold(chunk.subarray(eventFrom))
    }
    this.chunk = NO_BYTES
    this.showFrom = 0
    this.eventFrom = 0
  }

  override eventEnded(at: number): boolean {
    const hide = !this.shown && this.events.hasData && this.isWhole && this.watch.onlyUsage
    const repeatable = this.read()
    if (hide) {
      // An event that started in an earlier chunk has been held from its first byte.
      this.held.clear()
      this.showTo(this.eventFrom)
      this.showFrom = at
    } else this.release()
    this.hidLast = hide
    this.shown = false
    this.eventFrom = at
    return repeatable
  }

  /** Of an event that is held nothing has been shown. */
  override get betweenEvents(): boolean {
    return this.held.length > 0 || super.betweenEvents
  }

  override eventRepeated(at: number): void {
    super.eventRepeated(at)
    this.hidLast = false
    this.eventFrom = at
  }

  override lineFeedEnded(at: number): void {
    if (this.hidLast) this.showFrom = at
    this.eventFrom = at
  }

  protected override finish(error: ErrorReply): Finished {
    if (this.held.length === 0) return super.finish(error)
    const whole = this.isWhole
    const ending = super.tornEnding(error)
    // The start of an event that never ended: nobody misses it.
    if (!whole) this.held.clear()
    this.events.finish()
    return { ending: whole && !this.hidLast ? ending : '', whole }
  }

  /** A held start has not been shown and needs no ending; it is dropped. */
  protected override tornEnding(error: ErrorReply): string {
    if (this.held.length === 0) return super.tornEnding(error)
    this.held.clear()
    return ''
  }

  private get undecided(): boolean {
    return !this.events.isDone && !this.events.isOdd && !this.json.broken && this.watch.maybeOnlyUsage
  }

  private showTo(to: number): void {
    const { chunk, showFrom } = this
    if (to <= showFrom) return
    this.release()
    this.out.write(showFrom === 0 && to === chunk.length ? chunk : chunk.subarray(showFrom, to))
    this.showFrom = to
  }

  private hold(bytes: Uint8Array): void {
    if (!this.shown && this.held.length + bytes.length <= HELD_BYTES_MAX) {
      this.held.push(bytes)
      return
    }
    this.shown = true
    this.release()
    this.out.write(bytes)
  }

  private release(): void {
    if (this.held.length > 0) this.out.write(this.held.take())
  }
}

const NO_BYTES = new Uint8Array(0)
