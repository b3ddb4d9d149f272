// What events of ConverseStream and replies of Converse mean to a relay.

import { readFailure } from '../bedrock-converse/stream-error.ts'
import { readUsage } from '../bedrock-converse/wire.ts'
import { writeException } from '../error-forms/converse.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { object, type Place, take, touch } from './places.ts'
import { Watch } from './watch.ts'
import { wordAt, words } from './words.ts'

const STOP = 0
const USAGE = 1
const CONTENT = 2
/** Behind a prompt router the reply names the model that served it. */
const MODEL = 3
/** Members of an exception; the tag less this is the place of the name. */
const FAILURE = 4
const FAILURE_NAMES = ['message', 'Message', 'originalMessage', 'originalStatusCode'] as const
const TAGS = FAILURE + FAILURE_NAMES.length

const TRACE = object({ promptRouter: object({ invokedModelId: take(MODEL) }) })

/** One tree for every event: their members have different names. */
const STREAM_ROOT = object({
  delta: touch(CONTENT),
  start: touch(CONTENT),
  stopReason: take(STOP),
  usage: take(USAGE),
  trace: TRACE,
  ...Object.fromEntries(FAILURE_NAMES.map((name, place) => [name, take(FAILURE + place)])),
})

const WHOLE_ROOT = object({
  output: object({ message: object({ content: touch(CONTENT) }) }),
  stopReason: take(STOP),
  usage: take(USAGE),
  trace: TRACE,
})

const EVENTS = words('messageStop', 'metadata', 'contentBlockDelta')
const MESSAGE_STOP = 0
const METADATA = 1
const DELTA = 2

export class ConverseWatch extends Watch {
  readonly root: Place
  readonly facts: RelayFacts
  private stop: string | null
  private failure: Record<string, unknown> | null
  private stopped: boolean
  /** The frame at hand is one that a reply ends with. */
  endsReply: boolean

  constructor(streaming: boolean) {
    super(TAGS)
    this.root = streaming ? STREAM_ROOT : WHOLE_ROOT
    this.facts = new RelayFacts(readUsage)
    this.stop = null
    this.failure = null
    this.stopped = false
    this.endsReply = false
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    if (tag === USAGE) this.facts.noteUsage(bytes, from, to)
    else if (tag === MODEL) this.facts.model = textAt(bytes, from, to)
    else if (tag === STOP) this.stop = textAt(bytes, from, to)
    else {
      this.failure ??= {}
      this.failure[FAILURE_NAMES[tag - FAILURE]!] = valueAt(bytes, from, to)
    }
  }

  override touched(_tag: number): void {
    this.facts.contentSeen = true
    this.wants[CONTENT] = 0
  }

  /** A frame begins. False if nothing in it can be news: once content has been seen, a delta says nothing more. */
  frame(isEvent: boolean, name: Uint8Array, used: number): boolean {
    const event = isEvent ? wordAt(EVENTS, name, 0, used) : -1
    this.endsReply = event === MESSAGE_STOP || event === METADATA
    return event !== DELTA || !this.facts.contentSeen
  }

  override document(name: Uint8Array, used: number): boolean {
    const { facts } = this
    if (facts.state === 'open') {
      if (this.stop !== null) facts.finish = this.stop
      const event = wordAt(EVENTS, name, 0, used)
      if (event === MESSAGE_STOP) this.stopped = true
      else if (event === METADATA && this.stopped) facts.complete()
    }
    this.forget()
    return false
  }

  /** An exception or error frame: the error the service put into its stream. */
  exception(name: string, text: string): void {
    this.facts.fail(readFailure(name, text === '' ? this.failure : { message: text }))
    this.forget()
  }

  override forget(): void {
    this.stop = null
    this.failure = null
  }

  /** The stop has been told; only the metadata behind it is missing. */
  override get mayEnd(): boolean {
    return this.stopped
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    writeException(out, error)
  }
}
