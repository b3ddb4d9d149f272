// Stands between the reader of an upstream's reply and the client's writer. Owns everything that is true of every
// pair: tools get their client's names and ids back, stand-in tools become what they stand for, the finish reason
// agrees with the content, and the facts of the reply are noted. Knows no wire format.

import { CustomInput } from './custom-input.ts'
import type { DialectId } from './dialect.ts'
import type { ErrorReply } from './errors.ts'
import type { Citation, MediaPart, Opaque } from './prompt.ts'
import type { ReplyContext } from './reply-context.ts'
import type { ReplyFacts, ReplyState } from './reply-path.ts'
import { CALL_ID_RULES, callIdFor } from './tool-names.ts'
import { brokenReply } from './translate-error.ts'
import type { CallHead, Finish, ProsePartKind, StopReason, TokenLogprob, TurnHead, TurnSink } from './turn.ts'
import type { Usage } from './usage.ts'

const HAS_CHOICES: ReadonlySet<DialectId> = new Set(['openai-chat', 'gemini-generate'])
const HAS_CUSTOM_CALLS: ReadonlySet<DialectId> = new Set(['openai-chat', 'openai-responses'])

/** What becomes of a part on its way. */
type Route =
  | 'pass'
  /** A stand-in for structured output: its arguments are the answer's text. */
  | 'json-text'
  /** Prose beside a stand-in: kept back, shown only when the stand-in is never called. */
  | 'held'
  /** A function call that the client declared as a custom tool: its one string is unwrapped. */
  | 'unwrap'
  /** A custom call for a client whose dialect has none: its text is wrapped. */
  | 'wrap'

class GatePart {
  readonly route: Route
  /** Number at the writer; differs from the reader's when prose is held back. */
  readonly out: number
  readonly unwrapper: CustomInput | null

  constructor(route: Route, out: number) {
    this.route = route
    this.out = out
    this.unwrapper = route === 'unwrap' ? new CustomInput() : null
  }
}

class GateChoice {
  readonly parts: GatePart[] = []
  next = 0
  calls = 0
  refused = false
  held = ''
  standIn = false
}

export class TurnFacts implements ReplyFacts {
  state: ReplyState = 'open'
  usage: Usage | null = null
  finish: string | null = null
  contentSeen = false
  model: string | null = null
  id: string | null = null
  error: ErrorReply | null = null
}

export class ReplyGate implements TurnSink {
  readonly facts: TurnFacts
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private readonly choices: GateChoice[]
  private readonly choicesMax: number

  constructor(to: TurnSink, context: ReplyContext) {
    this.facts = new TurnFacts()
    this.to = to
    this.context = context
    this.choices = []
    this.choicesMax = HAS_CHOICES.has(context.client) ? Number.POSITIVE_INFINITY : 1
  }

  start(head: TurnHead): void {
    this.facts.id = head.id === '' ? null : head.id
    this.facts.model = head.model === '' ? null : head.model
    this.facts.usage = head.usage
    this.to.start({
      id: head.id,
      model: this.context.modelShown === '' ? head.model : this.context.modelShown,
      createdS: head.createdS ?? this.context.nowS,
      tier: head.tier,
      usage: head.usage,
    })
  }

  partStart(choice: number, _part: number, kind: ProsePartKind): void {
    const state = this.choice(choice)
    if (state === null) return
    if (kind === 'refusal') state.refused = true
    if (kind === 'text' && this.context.jsonTool !== null) {
      state.parts.push(new GatePart('held', -1))
      return
    }
    const out = state.next++
    state.parts.push(new GatePart('pass', out))
    this.to.partStart(choice, out, kind)
  }

  callStart(choice: number, part: number, call: CallHead): void {
    const state = this.choice(choice)
    if (state === null) return
    if (call.name === '') {
      // Nobody can run it, and some clients' readers break on it.
      this.fail(brokenReply('a call without a name'))
      return
    }
    this.facts.contentSeen = true
    const out = state.next++
    if (call.name === this.context.jsonTool) {
      state.standIn = true
      state.parts.push(new GatePart('json-text', out))
      this.to.partStart(choice, out, 'text')
      return
    }
    state.calls += 1
    const tool = this.context.names.toClient(call.name)
    const declared = this.context.customTools.has(tool.name)
    const custom = (call.custom || declared) && HAS_CUSTOM_CALLS.has(this.context.client)
    const route = custom === call.custom ? 'pass' : custom ? 'unwrap' : 'wrap'
    state.parts.push(new GatePart(route, out))
    const id = call.id === '' ? this.context.freshId('call_', `${choice}/${part}`) : call.id
    this.to.callStart(choice, out, {
      id: callIdFor(id, CALL_ID_RULES[this.context.client]),
      itemId: call.itemId,
      name: tool.name,
      namespace: tool.namespace ?? call.namespace,
      custom,
    })
    if (route === 'wrap') this.to.input(choice, out, '{"input":"')
  }

  text(choice: number, part: number, delta: string): void {
    const gated = this.part(choice, part)
    if (gated === null) return
    // A part that has only begun says nothing: another try could still take over.
    if (delta !== '') this.facts.contentSeen = true
    if (gated.route === 'held') this.choices[choice]!.held += delta
    else if (gated.route === 'wrap') this.to.input(choice, gated.out, JSON.stringify(delta).slice(1, -1))
    else this.to.text(choice, gated.out, delta)
  }

  section(choice: number, part: number): void {
    const gated = this.part(choice, part)
    if (gated !== null) this.to.section(choice, gated.out)
  }

  input(choice: number, part: number, json: string): void {
    const gated = this.part(choice, part)
    if (gated === null) return
    if (gated.route === 'pass') this.to.input(choice, gated.out, json)
    else if (gated.route === 'json-text') this.to.text(choice, gated.out, json)
    else if (gated.unwrapper !== null) this.pushText(choice, gated.out, gated.unwrapper.feed(json))
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    const gated = this.part(choice, part)
    if (gated !== null) this.facts.contentSeen = true
    if (gated?.route === 'pass') this.to.opaque(choice, gated.out, opaque)
  }

  cite(choice: number, part: number, citation: Citation): void {
    const gated = this.part(choice, part)
    if (gated?.route === 'pass') this.to.cite(choice, gated.out, citation)
  }

  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    const gated = this.part(choice, part)
    if (gated?.route === 'pass') this.to.logprobs(choice, gated.out, tokens)
  }

  partEnd(choice: number, part: number, complete: boolean): void {
    const gated = this.part(choice, part)
    if (gated === null || gated.route === 'held') return
    if (gated.unwrapper !== null) this.pushText(choice, gated.out, gated.unwrapper.end())
    if (gated.route === 'wrap') this.to.input(choice, gated.out, '"}')
    this.to.partEnd(choice, gated.out, complete)
  }

  media(choice: number, _part: number, media: MediaPart): void {
    const state = this.choice(choice)
    if (state === null) return
    this.facts.contentSeen = true
    const out = state.next++
    state.parts.push(new GatePart('pass', out))
    this.to.media(choice, out, media)
  }

  vendor(choice: number, _part: number, dialect: DialectId, type: string, json: string): void {
    const state = this.choice(choice)
    if (state === null) return
    const out = state.next++
    state.parts.push(new GatePart('pass', out))
    this.to.vendor(choice, out, dialect, type, json)
  }

  finish(choice: number, finish: Finish): void {
    if (choice === 0) this.facts.finish = finish.word
    const state = this.choice(choice)
    if (state === null) return
    if (state.held !== '' && !state.standIn) {
      const out = state.next++
      this.to.partStart(choice, out, 'text')
      this.to.text(choice, out, state.held)
      this.to.partEnd(choice, out, true)
    }
    state.held = ''
    const reason = agreed(finish.reason, state)
    this.to.finish(choice, reason === finish.reason ? finish : { ...finish, reason })
  }

  usage(usage: Usage): void {
    if (this.facts.state !== 'open') return
    this.facts.usage = usage
    this.to.usage(usage)
  }

  ping(): void {
    if (this.facts.state === 'open') this.to.ping()
  }

  extra(dialect: DialectId, name: string, json: string): void {
    if (this.facts.state === 'open') this.to.extra(dialect, name, json)
  }

  end(): void {
    if (this.facts.state !== 'open') return
    this.facts.state = 'complete'
    this.to.end()
  }

  fail(error: ErrorReply): void {
    if (this.facts.state !== 'open') return
    this.facts.state = 'failed'
    this.facts.error = error
    this.to.fail(error)
  }

  /** Null for an alternative the client's dialect cannot show, and when the turn has failed here. */
  private choice(index: number): GateChoice | null {
    if (index >= this.choicesMax || this.facts.state !== 'open') return null
    while (this.choices.length <= index) this.choices.push(new GateChoice())
    return this.choices[index]!
  }

  private part(choice: number, part: number): GatePart | null {
    return this.facts.state === 'open' ? (this.choices[choice]?.parts[part] ?? null) : null
  }

  private pushText(choice: number, out: number, text: string): void {
    if (text !== '') this.to.text(choice, out, text)
  }
}

/** Upstreams say "stop" after calls, or "calls" when only a stand-in was called: the content decides. */
function agreed(reason: StopReason, state: GateChoice): StopReason {
  if (reason === 'stop' && state.calls > 0) return 'calls'
  if (reason === 'calls' && state.calls === 0) return 'stop'
  if (reason === 'stop' && state.refused) return 'refusal'
  return reason
}
