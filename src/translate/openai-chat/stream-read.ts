// Reads a Chat stream. Owns the order of its frames; what a delta means is in choice-read.ts.

import { listOf, type Members, membersOf, parsed, textOf } from '../bytes/json-look.ts'
import type { ErrorReply } from '../errors.ts'
import { slotsOf } from '../framing/known-frame.ts'
import { type EventSink, SseReader } from '../framing/sse.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { ChoiceReader } from './choice-read.ts'
import { readErrorMember } from './stream-error.ts'
import { CHAT_GRAMMAR, type ChatState, type ChatSymbol, readUsage } from './wire.ts'

/** The most alternatives the dialect allows. */
const CHOICES_MAX = 128
/** What differs between frames that follow each other. */
const SLOTS = slotsOf(
  [
    'choices.0.delta.content',
    'choices.0.delta.reasoning_content',
    'choices.0.delta.tool_calls.0.function.arguments',
  ],
  ['obfuscation'],
)

export class ChatStreamReader implements ReplyReader, EventSink {
  private readonly sse: SseReader
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private readonly grammar: Grammar<ChatState, ChatSymbol>
  private readonly choices: ChoiceReader[]
  private started: boolean
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.context = context
    this.sse = new SseReader(this)
    this.grammar = new Grammar(CHAT_GRAMMAR, 'idle')
    this.choices = []
    this.started = false
    this.over = false
  }

  write(chunk: Uint8Array): void {
    this.sse.write(chunk)
  }

  end(): void {
    this.sse.end()
    if (this.over) return
    // Some hosts close after the last finish reason without saying [DONE].
    if (this.grammar.state === 'finished') this.finishTurn()
    else this.fail(incompleteReply())
  }

  cut(error: ErrorReply): void {
    if (!this.over) this.fail(error)
  }

  event(_name: string, data: string): void {
    if (this.over) return
    if (data.startsWith('[DONE]')) {
      if (!this.grammar.take('done')) this.fail(brokenReply('[DONE] before any choice'))
      else this.finishTurn()
      return
    }
    const chunk = membersOf(parsed(data))
    if (chunk === null) this.fail(brokenReply('a frame is not a JSON object'))
    else {
      this.chunk(chunk)
      this.sse.learn(chunk, SLOTS)
    }
  }

  again(chunk: Members): void {
    if (!this.over) this.chunk(chunk)
  }

  comment(): void {
    if (this.started && !this.over) this.to.ping()
  }

  tooLong(): void {
    if (!this.over) this.fail(brokenReply('a frame is too long'))
  }

  private chunk(chunk: Members): void {
    const error = membersOf(chunk['error'])
    if (error !== null) {
      this.fail(readErrorMember(error))
      return
    }
    const choices = listOf(chunk['choices'])
    const id = textOf(chunk['id'])
    if (!this.started && (choices.length > 0 || id !== '')) this.start(chunk, id)
    for (const choice of choices) {
      const members = membersOf(choice)
      if (members !== null && !this.over) this.choice(members)
    }
    if (this.over) return
    const usage = readUsage(chunk['usage'] ?? membersOf(chunk['x_groq'])?.['usage'])
    if (usage !== null && this.started) {
      this.grammar.take('usage')
      this.to.usage(usage)
    }
  }

  private start(chunk: Members, id: string): void {
    this.started = true
    const created = chunk['created']
    this.to.start({
      id,
      model: textOf(chunk['model']),
      createdS: typeof created === 'number' ? Math.trunc(created) : null,
      tier: typeof chunk['service_tier'] === 'string' ? chunk['service_tier'] : null,
      usage: null,
    })
  }

  private choice(choice: Members): void {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0
    if (!Number.isInteger(index) || index < 0 || index >= CHOICES_MAX) {
      this.fail(brokenReply('choice index'))
      return
    }
    while (this.choices.length <= index) {
      this.choices.push(new ChoiceReader(this.to, this.choices.length, this.context.family))
    }
    const reader = this.choices[index]!
    const delta = membersOf(choice['delta']) ?? membersOf(choice['message'])
    if (!reader.finished) this.grammar.take('delta')
    const complaint = delta === null ? null : reader.take(delta, choice['logprobs'])
    if (complaint !== null) {
      this.fail(brokenReply(complaint))
      return
    }
    const word = choice['finish_reason']
    if (typeof word !== 'string' || word === '') return
    if (word === 'error') this.fail(readErrorMember(membersOf(choice['error']) ?? {}))
    else {
      reader.finish(word)
      if (this.choices.every(candidate => candidate.finished)) this.grammar.take('finish')
    }
  }

  private finishTurn(): void {
    if (this.choices.length === 0) {
      this.fail(brokenReply('no choice'))
      return
    }
    for (const choice of this.choices) choice.finish(null)
    this.over = true
    this.sse.stop()
    this.to.end()
  }

  private fail(error: ErrorReply): void {
    this.over = true
    this.sse.stop()
    this.to.fail(error)
  }
}
