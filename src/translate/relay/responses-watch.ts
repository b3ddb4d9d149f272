// What events of Responses mean to a relay.

import { membersOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { openaiErrorMember } from '../error-forms/openai.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { equalBytes } from './member-scanner.ts'
import { errorEventMembers, failureJson, readErrorMembers } from '../openai-responses/stream-error.ts'
import { readUsage } from '../openai-responses/wire.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { count, countEach, noise, object, type Place, take, touch } from './places.ts'
import { Watch } from './watch.ts'
import { wordAt, words } from './words.ts'

const TYPE = 0
const SEQUENCE = 1
const ID = 2
const MODEL = 3
const STATUS = 4
const USAGE = 5
const ERROR = 6
const REASON = 7
const CREATED = 8
const ITEM_TYPE = 9
const CODE = 10
const MESSAGE = 11
const PARAM = 12
const CONTENT = 13
const TAGS = 14

const RESPONSE = {
  id: take(ID),
  created_at: count(CREATED),
  model: take(MODEL),
  status: take(STATUS),
  error: take(ERROR),
  incomplete_details: object({ reason: take(REASON) }),
  usage: take(USAGE),
  output: touch(CONTENT),
}

const STREAM_ROOT = object({
  type: take(TYPE),
  sequence_number: countEach(SEQUENCE),
  delta: noise(),
  obfuscation: noise(),
  response: object(RESPONSE),
  item: object({ type: take(ITEM_TYPE) }),
  code: take(CODE),
  message: take(MESSAGE),
  param: take(PARAM),
  error: take(ERROR),
})

const WHOLE_ROOT = object(RESPONSE)

const TYPES = words('response.completed', 'response.incomplete', 'response.failed', 'error')
const COMPLETED = 0
const INCOMPLETE = 1
const FAILED = 2
const ERROR_EVENT = 3
const ITEM_ADDED = new TextEncoder().encode('response.output_item.added')
const DELTA_TAIL = new TextEncoder().encode('.delta')
/** Items that begin empty: what they say comes in deltas. */
const EMPTY_ITEMS = words('"message"', '"reasoning"')

/** No `type` inside the payload. */
const ABSENT = -2

export class ResponsesWatch extends Watch {
  readonly root: Place
  readonly facts: RelayFacts
  private readonly streaming: boolean
  private type: number
  private isDelta: boolean
  private isItemAdded: boolean
  private itemSpeaks: boolean
  private sequence: number
  private created: number
  private status: string | null
  private reason: string | null
  private error: unknown
  private code: string | null
  private message: string | null
  private param: string | null

  constructor(streaming: boolean) {
    super(TAGS)
    this.streaming = streaming
    this.root = streaming ? STREAM_ROOT : WHOLE_ROOT
    this.facts = new RelayFacts(readUsage)
    this.sequence = -1
    this.created = 0
    this.type = ABSENT
    this.isDelta = false
    this.isItemAdded = false
    this.itemSpeaks = false
    this.status = null
    this.reason = null
    this.error = null
    this.code = null
    this.message = null
    this.param = null
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    switch (tag) {
      case TYPE:
        this.noteType(bytes, from + 1, to - 1)
        return
      case ID:
        this.facts.id = textAt(bytes, from, to)
        return
      case MODEL:
        this.facts.model = textAt(bytes, from, to)
        return
      case STATUS:
        this.status = textAt(bytes, from, to)
        return
      case USAGE:
        this.facts.noteUsage(bytes, from, to)
        return
      case ERROR:
        this.error = valueAt(bytes, from, to)
        return
      case REASON:
        this.reason = textAt(bytes, from, to)
        return
      case ITEM_TYPE:
        this.itemSpeaks = wordAt(EMPTY_ITEMS, bytes, from, to) === -1
        return
      case CODE:
        this.code = textAt(bytes, from, to)
        return
      case MESSAGE:
        this.message = textAt(bytes, from, to)
        return
      default:
        this.param = textAt(bytes, from, to)
    }
  }

  override touched(_tag: number): void {
    this.facts.contentSeen = true
  }

  override counted(tag: number, value: number): void {
    if (tag === SEQUENCE) this.sequence = value
    else this.created = value
  }

  override document(name: Uint8Array, used: number): boolean {
    if (this.facts.state === 'open') {
      if (!this.streaming) this.wholeResponse()
      else {
        if (this.type === ABSENT) this.noteType(name, 0, used)
        this.event()
      }
    }
    const ordinary = this.isDelta && this.facts.state === 'open'
    this.forget()
    return ordinary
  }

  override forget(): void {
    this.type = ABSENT
    this.isDelta = false
    this.isItemAdded = false
    this.itemSpeaks = false
    this.status = null
    this.reason = null
    this.error = null
    this.code = null
    this.message = null
    this.param = null
  }

  override tornMember(error: ErrorReply, torn: string): string {
    return /response\.(?:completed|incomplete)\b/.test(torn) ? '' : openaiErrorMember(error)
  }

  /** `response.failed` when the client knows the response; a bare `error` when it was never created. */
  override errorForm(out: ByteOut, error: ErrorReply): void {
    const { id, model } = this.facts
    const sequence = this.sequence + 1
    if (id === null) {
      const members = `"sequence_number":${sequence},${errorEventMembers(error)}`
      out.text(`event: error\ndata: {"type":"error",${members}}\n\n`)
      return
    }
    const json = new JsonOut().object().member('type', 'response.failed').member('sequence_number', sequence)
    json.key('response').object().member('id', id).member('object', 'response')
    json.member('created_at', this.created).member('status', 'failed').memberRaw('error', failureJson(error))
    json
      .member('incomplete_details', null)
      .member('model', model ?? '')
      .memberRaw('output', '[]')
    json.member('usage', null).endObject().endObject()
    out.text(`event: response.failed\ndata: ${json.text}\n\n`)
  }

  private noteType(bytes: Uint8Array, from: number, to: number): void {
    this.type = wordAt(TYPES, bytes, from, to)
    if (this.type !== -1) return
    this.isDelta = equalBytes(DELTA_TAIL, bytes, to - DELTA_TAIL.length, to)
    this.isItemAdded = equalBytes(ITEM_ADDED, bytes, from, to)
  }

  private event(): void {
    const { facts } = this
    switch (this.type) {
      case COMPLETED:
        facts.finish = this.status ?? 'completed'
        facts.complete()
        return
      case INCOMPLETE:
        facts.finish = this.reason ?? 'incomplete'
        facts.complete()
        return
      case FAILED:
        facts.fail(readResponseError(this.error))
        return
      case ERROR_EVENT:
        facts.fail(
          readResponseError(this.error ?? { code: this.code, message: this.message, param: this.param }),
        )
        return
      default:
        if (this.isDelta || (this.isItemAdded && this.itemSpeaks)) facts.contentSeen = true
    }
  }

  private wholeResponse(): void {
    const { facts } = this
    if (this.error !== null || this.status === 'failed') facts.fail(readResponseError(this.error))
    else facts.finish = this.status === 'incomplete' ? (this.reason ?? 'incomplete') : this.status
  }
}

function readResponseError(value: unknown): ErrorReply {
  return readErrorMembers(membersOf(value) ?? {})
}
