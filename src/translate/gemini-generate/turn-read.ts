// The frames of a reply as a turn: each is a whole reply object with some of the content. Owns start, usage and the
// end; whole replies and streams of both forms take the same way.
// The trick: the finish is told at the end of input, because older models repeat it with every frame.

import { listOf, type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { readGeminiError } from '../error-forms/gemini.ts'
import type { ErrorReply } from '../errors.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import type { TurnSink } from '../turn.ts'
import { CandidateReader, FrameSource } from './candidate-read.ts'
import { GEMINI_GRAMMAR, type GeminiState, type GeminiSymbol, readUsage } from './wire.ts'

/** Status of an error inside a reply that names none. */
const BROKEN_STATUS = 502
/** The dialect allows 8. */
const CANDIDATES_MAX = 64

export class TurnReader {
  over: boolean
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private readonly grammar: Grammar<GeminiState, GeminiSymbol>
  private readonly candidates: CandidateReader[]
  private readonly source: FrameSource
  private started: boolean
  /** As last told; every frame tells it anew. */
  private usage: unknown

  constructor(to: TurnSink, context: ReplyContext) {
    this.over = false
    this.to = to
    this.context = context
    this.grammar = new Grammar(GEMINI_GRAMMAR, 'idle')
    this.candidates = []
    this.source = new FrameSource()
    this.started = false
    this.usage = undefined
  }

  /** Takes one frame with its text. */
  frame(frame: Members | null, text: string): void {
    if (this.over) return
    if (frame === null) {
      this.fail(brokenReply('a frame is not a JSON object'))
      return
    }
    const error = membersOf(frame['error'])
    if (error !== null) {
      this.fail(readGeminiError(error, BROKEN_STATUS))
      return
    }
    try {
      this.source.set(text)
      this.take(frame)
    } catch (thrown) {
      // Reading a part's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(thrown instanceof TranslateError)) throw thrown
      this.fail(brokenReply('a part cannot be read'))
    }
  }

  ping(): void {
    if (this.started && !this.over) this.to.ping()
  }

  /** The stream is complete by its framing. */
  end(): void {
    if (this.over) return
    if (this.grammar.take('done')) this.finish()
    else this.fail(incompleteReply())
  }

  /** A whole body is complete by itself, also when it does not say why it ends. */
  endWhole(): void {
    if (this.over) return
    if (this.candidates.length > 0) this.finish()
    else this.fail(brokenReply('no candidate'))
  }

  private finish(): void {
    for (const candidate of this.candidates) candidate.finish()
    this.over = true
    this.tellUsage()
    this.to.end()
  }

  fail(error: ErrorReply): void {
    if (this.over) return
    this.over = true
    if (this.started) this.tellUsage()
    this.to.fail(error)
  }

  private take(frame: Members): void {
    const candidates = listOf(frame['candidates'])
    const feedback = membersOf(frame['promptFeedback'])
    if (frame['usageMetadata'] !== undefined) this.usage = frame['usageMetadata']
    if (!this.started && (candidates.length > 0 || feedback !== null)) this.start(frame)
    if (!this.started) return
    if (feedback !== null) this.feedback(feedback)
    for (let position = 0; position < candidates.length && !this.over; position++) {
      const members = membersOf(candidates[position])
      if (members !== null) this.candidate(members, position)
    }
  }

  private start(frame: Members): void {
    this.started = true
    const created = textOf(frame['createTime'])
    const createdMs = created === '' ? Number.NaN : Date.parse(created)
    this.to.start({
      id: textOf(frame['responseId']),
      model: textOf(frame['modelVersion']),
      createdS: Number.isNaN(createdMs) ? null : Math.trunc(createdMs / 1000),
      tier: null,
      usage: readUsage(this.usage),
    })
  }

  /** A blocked prompt has no candidates: it is a turn that a filter ended before it began. */
  private feedback(feedback: Members): void {
    const word = textOf(feedback['blockReason'])
    // What blocked the prompt stays told: a later frame that names nothing does not unblock it.
    if (word === '' && this.candidates.some(candidate => candidate.closed)) return
    if (this.context.client === 'gemini-generate')
      this.to.extra('gemini-generate', 'promptFeedback', JSON.stringify(feedback))
    if (word === '' || this.candidates.length > 0) return
    const candidate = new CandidateReader(this.to, 0, this.context)
    this.candidates.push(candidate)
    candidate.block(word, textOrNull(feedback['blockReasonMessage']))
    this.grammar.take('finish')
  }

  private candidate(members: Members, position: number): void {
    const index = typeof members['index'] === 'number' ? members['index'] : position
    if (!Number.isInteger(index) || index < 0 || index >= CANDIDATES_MAX) {
      this.fail(brokenReply('candidate index'))
      return
    }
    while (this.candidates.length <= index)
      this.candidates.push(new CandidateReader(this.to, this.candidates.length, this.context))
    const reader = this.candidates[index]!
    if (reader.closed) {
      this.fail(brokenReply('content after a blocked prompt'))
      return
    }
    const complaint = reader.take(members, position, this.source)
    if (complaint !== null) this.fail(brokenReply(complaint))
    else this.grammar.take(this.candidates.every(candidate => candidate.finished) ? 'finish' : 'content')
  }

  private tellUsage(): void {
    const usage = readUsage(this.usage)
    if (usage === null) return
    if (this.context.client === 'gemini-generate')
      this.to.extra('gemini-generate', 'usageMetadata', JSON.stringify(this.usage))
    this.to.usage(usage)
  }
}
