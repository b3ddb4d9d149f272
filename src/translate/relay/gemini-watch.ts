// What frames of generateContent mean to a relay. A stream has no last event of its own: it is complete when every
// candidate has a finish reason, or the prompt was blocked, and the body ends between frames.

import { geminiErrorJson, readGeminiError } from '../error-forms/gemini.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { readUsage } from '../gemini-generate/wire.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { count, list, object, Place, take, takeEach, touch } from './places.ts'
import { Watch } from './watch.ts'

const ID = 0
const MODEL = 1
const USAGE = 2
const BLOCKED = 3
const ERROR = 4
const CANDIDATE = 5
const INDEX = 6
const FINISH = 7
const CONTENT = 8
const DOCUMENT = 9
const TAGS = 10

/** The vendor allows eight; room for hosts that allow more. */
const CANDIDATES_MAX = 32

const PART = object({
  text: touch(CONTENT),
  functionCall: touch(CONTENT),
  inlineData: touch(CONTENT),
  executableCode: touch(CONTENT),
  codeExecutionResult: touch(CONTENT),
})

const MEMBERS = {
  candidates: list(
    object(
      { index: count(INDEX), content: object({ parts: list(PART) }), finishReason: take(FINISH) },
      CANDIDATE,
    ),
  ),
  promptFeedback: object({ blockReason: take(BLOCKED) }),
  usageMetadata: takeEach(USAGE),
  modelVersion: take(MODEL),
  responseId: take(ID),
  error: take(ERROR),
}

const ROOT = object(MEMBERS)
/** Without `alt=sse` a stream is one array, each element what a frame is otherwise. */
const WHOLE_ROOT = new Place({ members: MEMBERS, element: object(MEMBERS, DOCUMENT) })

export class GeminiWatch extends Watch {
  readonly root: Place
  readonly facts: RelayFacts
  /** Bits of the candidates that have been seen, and of those that have finished. */
  private begun: number
  private finished: number
  private frameBegun: number
  private frameFinished: number
  /** Candidates of this frame so far: a candidate without an index has its position. */
  private position: number
  private index: number
  private word: string | null
  private firstWord: string | null
  private blocked: string | null
  private error: unknown

  constructor(streaming: boolean) {
    super(TAGS)
    this.root = streaming ? ROOT : WHOLE_ROOT
    this.facts = new RelayFacts(readUsage)
    this.begun = 0
    this.finished = 0
    this.frameBegun = 0
    this.frameFinished = 0
    this.position = 0
    this.index = 0
    this.word = null
    this.firstWord = null
    this.blocked = null
    this.error = null
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    switch (tag) {
      case ID:
        this.facts.id = this.textOnce(ID, bytes, from, to)
        return
      case MODEL:
        this.facts.model = this.textOnce(MODEL, bytes, from, to)
        return
      case USAGE:
        this.facts.noteUsage(bytes, from, to)
        return
      case BLOCKED:
        this.blocked = textAt(bytes, from, to)
        return
      case FINISH:
        this.word = textAt(bytes, from, to)
        return
      default:
        this.error = valueAt(bytes, from, to)
    }
  }

  override touched(_tag: number): void {
    this.facts.contentSeen = true
    this.wants[CONTENT] = 0
  }

  override counted(_tag: number, value: number): void {
    this.index = value
  }

  override opened(_tag: number): void {
    this.index = this.position
    this.word = null
  }

  override closed(tag: number): void {
    if (tag === DOCUMENT) {
      this.document()
      return
    }
    this.position += 1
    if (this.index < CANDIDATES_MAX) {
      this.frameBegun |= 1 << this.index
      if (this.word === null) return
      this.frameFinished |= 1 << this.index
      if (this.index === 0) this.firstWord = this.word
    }
  }

  override document(): boolean {
    const { facts } = this
    if (facts.state === 'open') {
      if (typeof this.error === 'object' && this.error !== null) facts.fail(readGeminiError(this.error, 502))
      else {
        this.begun |= this.frameBegun
        this.finished |= this.frameFinished
        if (this.blocked !== null) this.finished |= 1
        facts.finish = this.firstWord ?? this.blocked ?? facts.finish
      }
    }
    const ordinary = facts.state === 'open' && this.frameFinished === 0 && this.blocked === null
    this.forget()
    return ordinary
  }

  override forget(): void {
    this.position = 0
    this.frameBegun = 0
    this.frameFinished = 0
    this.firstWord = null
    this.blocked = null
    this.error = null
  }

  override get mayEnd(): boolean {
    return this.finished !== 0 && (this.begun & ~this.finished) === 0
  }

  override tornMember(error: ErrorReply, torn: string): string {
    return /"(?:finishReason|blockReason)"/.test(torn) ? '' : geminiErrorJson(error).slice(1, -1)
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    out.text(`data: ${geminiErrorJson(error)}\r\n\r\n`)
  }
}
