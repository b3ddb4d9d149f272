// What frames of Chat Completions mean to a relay.

import { membersOf } from '../bytes/json-look.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { errorJson, readErrorMember } from '../openai-chat/stream-error.ts'
import { readUsage } from '../openai-chat/wire.ts'
import { brokenReply } from '../translate-error.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { count, list, noise, object, type Place, take, takeEach, touch } from './places.ts'
import { Watch } from './watch.ts'

const ID = 0
const MODEL = 1
const USAGE = 2
const GROQ_USAGE = 3
const ERROR = 4
const CHOICES = 5
const CHOICE = 6
const INDEX = 7
const FINISH = 8
const CHOICE_ERROR = 9
const CONTENT = 10
const TAGS = 11

/** The most alternatives the dialect allows. */
const CHOICES_MAX = 128

const MESSAGE = object({
  content: touch(CONTENT),
  reasoning_content: touch(CONTENT),
  reasoning: touch(CONTENT),
  tool_calls: touch(CONTENT),
  function_call: touch(CONTENT),
  refusal: touch(CONTENT),
  audio: touch(CONTENT),
})

const ROOT = object({
  id: take(ID),
  model: take(MODEL),
  choices: list(
    object(
      {
        index: count(INDEX),
        delta: MESSAGE,
        message: MESSAGE,
        // The older completions have their text here.
        text: touch(CONTENT),
        finish_reason: take(FINISH),
        error: take(CHOICE_ERROR),
      },
      CHOICE,
    ),
    CHOICES,
  ),
  usage: takeEach(USAGE),
  obfuscation: noise(),
  x_groq: object({ usage: take(GROQ_USAGE) }),
  error: take(ERROR),
})

const UNSEEN = 0
const BEGUN = 1
const FINISHED = 2

export class ChatWatch extends Watch {
  readonly root: Place = ROOT
  readonly facts: RelayFacts
  /** What is known of each choice, by index. */
  private readonly choices: number[]
  private begun: number
  private finished: number
  /** Choices of the current frame: index, and finish reason or ''. Their number is kept apart. */
  private readonly indexes: number[]
  private readonly words: string[]
  private count: number
  private index: number
  private word: string
  private choicesSeen: boolean
  private choiceSeen: boolean
  /** A choice of the current frame has a finish reason. */
  private finishes: boolean
  private usageSeen: boolean
  private error: unknown
  private choiceError: unknown

  constructor() {
    super(TAGS)
    this.facts = new RelayFacts(readUsage)
    this.choices = []
    this.begun = 0
    this.finished = 0
    this.indexes = []
    this.words = []
    this.count = 0
    this.index = 0
    this.word = ''
    this.choicesSeen = false
    this.choiceSeen = false
    this.finishes = false
    this.usageSeen = false
    this.error = null
    this.choiceError = null
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
      case GROQ_USAGE:
        if (bytes[from] !== 0x7b) return
        if (tag === USAGE) this.usageSeen = true
        this.facts.noteUsage(bytes, from, to)
        return
      case FINISH:
        this.word = textAt(bytes, from, to) ?? ''
        return
      case CHOICE_ERROR:
        this.choiceError = valueAt(bytes, from, to)
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

  override opened(tag: number): void {
    if (tag === CHOICES) this.choicesSeen = true
    else {
      this.choiceSeen = true
      this.index = 0
      this.word = ''
    }
  }

  override closed(tag: number): void {
    if (tag === CHOICES || this.count === CHOICES_MAX) return
    this.indexes[this.count] = this.index
    this.words[this.count] = this.word
    this.count += 1
    if (this.word !== '') this.finishes = true
  }

  override document(): boolean {
    const { facts } = this
    if (facts.state === 'open') {
      if (isError(this.error)) facts.fail(readError(this.error))
      else this.noteChoices()
    }
    // One that tells usage only may have to be hidden each time.
    const ordinary = facts.state === 'open' && !this.onlyUsage && !this.finishes
    this.forget()
    return ordinary
  }

  override forget(): void {
    this.count = 0
    this.finishes = false
    this.choicesSeen = false
    this.choiceSeen = false
    this.usageSeen = false
    this.error = null
    this.choiceError = null
  }

  override done(): void {
    if (this.begun === 0) this.facts.fail(brokenReply('[DONE] before any choice'))
    else this.facts.complete()
  }

  /** Compatible hosts close after the last finish reason without saying [DONE]. */
  override get mayEnd(): boolean {
    return this.begun > 0 && this.finished === this.begun
  }

  override get onlyUsage(): boolean {
    return this.usageSeen && this.maybeOnlyUsage && this.choicesSeen
  }

  override get maybeOnlyUsage(): boolean {
    return !this.choiceSeen && this.error === null
  }

  override tornMember(error: ErrorReply, torn: string): string {
    return torn.includes('"finish_reason":"') ? '' : errorJson(error).slice(1, -1)
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    out.text(`data: ${errorJson(error)}\n\n`)
  }

  private noteChoices(): void {
    const { facts } = this
    for (let at = 0; at < this.count; at++) {
      const index = this.indexes[at]!
      const word = this.words[at]!
      if (index >= CHOICES_MAX) continue
      while (this.choices.length <= index) this.choices.push(UNSEEN)
      if (this.choices[index] === UNSEEN) {
        this.choices[index] = BEGUN
        this.begun += 1
      }
      if (word === '') continue
      if (word === 'error') {
        facts.fail(readErrorMember(membersOf(this.choiceError) ?? {}))
        return
      }
      if (this.choices[index] === FINISHED) continue
      this.choices[index] = FINISHED
      this.finished += 1
      if (index === 0) facts.finish = word
    }
  }
}

/** As the vendor's client decides: whatever is there and says something. */
function isError(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || (typeof value === 'string' && value !== '')
}

function readError(value: unknown): ErrorReply {
  return readErrorMember(membersOf(value) ?? { message: typeof value === 'string' ? value : '' })
}
