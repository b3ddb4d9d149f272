// What events of ConverseStream and replies of Converse mean to a relay.

import { readException, writeException } from '../error-forms/converse.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { RelayFacts, textAt } from './facts.ts'
import { object, type Place, take, touch } from './places.ts'
import { converseUsage } from './usage-words.ts'
import { Watch } from './watch.ts'
import { wordAt, words } from './words.ts'

const STOP = 0
const USAGE = 1
const MESSAGE = 2
const CONTENT = 3
const TAGS = 4

/** One tree for every event: their members have different names. */
const STREAM_ROOT = object({
  delta: touch(CONTENT),
  start: touch(CONTENT),
  stopReason: take(STOP),
  usage: take(USAGE),
  message: take(MESSAGE),
})

const WHOLE_ROOT = object({
  output: object({ message: object({ content: touch(CONTENT) }) }),
  stopReason: take(STOP),
  usage: take(USAGE),
})

const EVENTS = words('messageStop', 'metadata', 'contentBlockDelta')
const MESSAGE_STOP = 0
const METADATA = 1
const DELTA = 2

export class ConverseWatch extends Watch {
  readonly root: Place
  readonly facts: RelayFacts
  private stop: string | null
  private message: string
  private stopped: boolean
  /** The frame at hand is one that a reply ends with. */
  endsReply: boolean

  constructor(streaming: boolean) {
    super(TAGS)
    this.root = streaming ? STREAM_ROOT : WHOLE_ROOT
    this.facts = new RelayFacts(converseUsage)
    this.stop = null
    this.message = ''
    this.stopped = false
    this.endsReply = false
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    if (tag === USAGE) this.facts.noteUsage(bytes, from, to)
    else if (tag === STOP) this.stop = textAt(bytes, from, to)
    else this.message = textAt(bytes, from, to) ?? ''
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

  /** An exception frame: the error the service put into its stream. */
  exception(name: string): void {
    this.facts.fail(readException(name, this.message))
    this.forget()
  }

  override forget(): void {
    this.stop = null
    this.message = ''
  }

  /** The stop has been told; only the metadata behind it is missing. */
  override get mayEnd(): boolean {
    return this.stopped
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    writeException(out, error)
  }
}
