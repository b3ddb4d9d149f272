// What events of Messages mean to a relay.

import { UsageCounts } from '../anthropic-messages/wire.ts'
import { errorJson, readErrorEvent } from '../anthropic-messages/stream-error.ts'
import { membersOf } from '../bytes/json-look.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import type { Usage } from '../usage.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { noise, object, type Place, take, touch } from './places.ts'
import { Watch } from './watch.ts'
import { wordAt, words } from './words.ts'

const TYPE = 0
const ID = 1
const MODEL = 2
const USAGE = 3
const STOP = 4
const ERROR = 5
const REQUEST_ID = 6
const BLOCK_TYPE = 7
const CONTENT = 8
const TAGS = 9

const STREAM_ROOT = object({
  type: take(TYPE),
  message: object({ id: take(ID), model: take(MODEL), usage: take(USAGE) }),
  content_block: object({ type: take(BLOCK_TYPE) }),
  delta: object({ stop_reason: take(STOP), text: noise(), partial_json: noise(), thinking: noise() }),
  usage: take(USAGE),
  error: take(ERROR),
  request_id: take(REQUEST_ID),
})

const WHOLE_ROOT = object({
  type: take(TYPE),
  id: take(ID),
  model: take(MODEL),
  content: touch(CONTENT),
  stop_reason: take(STOP),
  usage: take(USAGE),
  error: take(ERROR),
  request_id: take(REQUEST_ID),
})

const TYPES = words(
  'content_block_delta',
  'message_start',
  'content_block_start',
  'message_delta',
  'message_stop',
  'error',
)
/** No `type` inside the payload. */
const ABSENT = -2
const DELTA = 0
const BLOCK_START = 2
const MESSAGE_STOP = 4
const ERROR_EVENT = 5
/** Blocks that begin empty: what they say comes in deltas. */
const EMPTY_BLOCKS = words('"text"', '"thinking"')

export class MessagesWatch extends Watch {
  readonly root: Place
  override readonly tornLines = 'event: ping\n'
  readonly facts: RelayFacts
  private readonly counts: UsageCounts
  private type: number
  private usage: unknown
  private stop: string | null
  private error: unknown
  private requestId: string | null
  private blockSpeaks: boolean

  constructor(streaming: boolean) {
    super(TAGS)
    this.root = streaming ? STREAM_ROOT : WHOLE_ROOT
    this.counts = new UsageCounts()
    this.facts = new RelayFacts(value => this.mergeUsage(value))
    this.type = ABSENT
    this.usage = null
    this.stop = null
    this.error = null
    this.requestId = null
    this.blockSpeaks = false
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    switch (tag) {
      case TYPE:
        this.type = wordAt(TYPES, bytes, from + 1, to - 1)
        return
      case ID:
        this.facts.id = textAt(bytes, from, to)
        return
      case MODEL:
        this.facts.model = textAt(bytes, from, to)
        return
      case USAGE:
        this.facts.noteUsage(bytes, from, to)
        this.facts.readUsageNow()
        return
      case STOP:
        this.stop = textAt(bytes, from, to)
        return
      case BLOCK_TYPE:
        this.blockSpeaks = wordAt(EMPTY_BLOCKS, bytes, from, to) === -1
        return
      case ERROR:
        this.error = valueAt(bytes, from, to)
        return
      default:
        this.requestId = textAt(bytes, from, to)
    }
  }

  override touched(_tag: number): void {
    this.facts.contentSeen = true
  }

  override document(name: Uint8Array, used: number): boolean {
    // The type inside counts; the name of the frame stands in when there is none.
    const type = this.type === ABSENT ? wordAt(TYPES, name, 0, used) : this.type
    const { facts } = this
    if (facts.state === 'open') {
      if (type === DELTA || (type === BLOCK_START && this.blockSpeaks)) facts.contentSeen = true
      else if (type === ERROR_EVENT) {
        facts.fail(readErrorEvent({ error: this.error, request_id: this.requestId }))
      }
      if (this.stop !== null && facts.finish === null) facts.finish = this.stop
      if (type === MESSAGE_STOP) facts.complete()
    }
    this.forget()
    return type === DELTA && facts.state === 'open'
  }

  override forget(): void {
    this.type = ABSENT
    this.stop = null
    this.error = null
    this.requestId = null
    this.blockSpeaks = false
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    out.text(`event: error\ndata: ${errorJson(error)}\n\n`)
  }

  /** Counts come in two events, and each names only what it knows. */
  private mergeUsage(value: unknown): Usage | null {
    const usage = membersOf(value)
    if (usage !== null) this.counts.merge(usage)
    return this.counts.told ? this.counts.usage : null
  }
}
