// What one act of writing a prompt knows and finds out: the target, what was lost, how tools were renamed. The
// reply's way back is built from it.

import { CALL_ID_RULES, callIdFor, type IdRule, legalName, NAME_RULES, ToolNames } from './tool-names.ts'
import type { JsonOut } from './bytes/json-out.ts'
import type { DialectId } from './dialect.ts'
import { pointerOf, type WishName } from './fields.ts'
import { type LossAction, LossList } from './loss.ts'
import type { Extra, Opaque, Part, Prompt, Tool } from './prompt.ts'
import { COUNT_MAX, fittingSeed, type Range, type RangedWish, RANGES } from './ranges.ts'
import { customDescription } from './schema.ts'
import type { TargetFacts } from './target.ts'
import { TranslateError } from './translate-error.ts'
import { memberPath } from './loss.ts'

/** A part, a turn or a tool, with what its client said beside what we know. */
interface Owner {
  readonly at: string
  readonly extra: readonly Extra[]
}

export class PromptWriting {
  readonly client: DialectId
  readonly upstream: DialectId
  readonly target: TargetFacts
  readonly losses: LossList
  readonly names: ToolNames
  /** Target's name of the tool that stands in for structured output, or null. */
  jsonTool: string | null
  private readonly idRule: IdRule

  constructor(client: DialectId, upstream: DialectId, target: TargetFacts) {
    this.client = client
    this.upstream = upstream
    this.target = target
    this.losses = new LossList()
    this.names = new ToolNames(NAME_RULES[upstream])
    this.jsonTool = null
    this.idRule = target.callIds ?? CALL_ID_RULES[upstream]
  }

  callId(id: string): string {
    return callIdFor(id, this.idRule)
  }

  /** Notes a loss at a pointer in the client's body. */
  lose(action: LossAction, at: string, reason: string): void {
    this.losses.add(action, at, reason)
  }

  /** What a function is for; a custom tool that goes out as one tells its grammar there. */
  descriptionOf(tool: Tool): string | null {
    if (tool.kind !== 'custom') return tool.description
    this.lose('emulate', tool.at, 'custom_tool_as_function')
    return customDescription(tool.description, tool.grammar)
  }

  /** How strictly arguments must match, where the model can be told. */
  strictness(tool: Tool): boolean | null {
    if (this.target.facts.strictTools) return tool.strict
    if (tool.strict) this.lose('drop', tool.at, 'strict')
    return null
  }

  /** Members we do not know: hosts of the client's own dialect are sent them, for others they are lost. */
  extras(out: JsonOut, owner: Owner): void {
    if (this.client === this.upstream) out.extras(owner.extra)
    else this.loseExtras(owner)
  }

  loseExtras(owner: Owner): void {
    for (const extra of owner.extra) this.lose('drop', `${owner.at}/${extra.name}`, 'unknown_member')
  }

  /** Notes the loss of a top-level wish, under the name the client gave it. */
  loseWish(action: LossAction, wish: WishName, reason: string): void {
    this.losses.add(action, pointerOf(this.client, wish), reason)
  }

  /** A number in the range of the target's dialect. */
  ranged(wish: RangedWish, value: number): number {
    return this.clamped(wish, value, RANGES[this.upstream][wish])
  }

  clamped(wish: WishName, value: number, { least, most }: Range): number {
    const fitting = Math.min(Math.max(value, least), most)
    if (fitting !== value) this.loseWish('map', wish, 'clamped')
    return fitting
  }

  /** The limit of the output that the target takes. */
  outputLimit(asked: number, least = 1): number {
    const most = this.target.facts.outputTokensMax ?? COUNT_MAX
    if (asked > most) this.loseWish('map', 'outputTokensMax', 'above_model_maximum')
    if (asked < least) this.loseWish('map', 'outputTokensMax', 'below_minimum')
    return Math.max(least, Math.min(asked, most))
  }

  /** From how many candidates a token is chosen. Less than one means all of them, where a host takes it at all. */
  topK(asked: number, most = COUNT_MAX): number | null {
    const whole = Math.round(asked)
    if (whole < 1) {
      this.loseWish('drop', 'topK', 'out_of_range')
      return null
    }
    if (whole !== asked) this.loseWish('map', 'topK', 'rounded')
    return this.clamped('topK', whole, { least: 1, most })
  }

  seed(spelled: string): string | null {
    const fitting = fittingSeed(this.upstream, spelled)
    if (fitting === null) this.loseWish('drop', 'seed', 'out_of_range')
    return fitting
  }

  /** Name of a form of the output: the model sees it, the caller never does. */
  formatName(name: string | null): string {
    if (name === null) return 'response'
    const legal = legalName(name, NAME_RULES[this.upstream])
    if (legal !== name) this.loseWish('map', 'format', 'renamed')
    return legal
  }

  /** The model will be made to call a tool, which Claude refuses while it thinks, by whatever way it thinks. */
  forcesTool(prompt: Prompt): boolean {
    return prompt.toolChoice?.forced === true && prompt.tools.length > 0 && this.target.facts.forcedToolChoice
  }

  /** The meaning would be destroyed: 400 in the caller's dialect, naming the member. */
  refuse(at: string, message: string): never {
    const path = memberPath(at)
    throw new TranslateError('unsupported', `${path}: ${message}`, path, 'unsupported_parameter')
  }

  refuseWish(wish: WishName, message: string): never {
    this.refuse(pointerOf(this.client, wish), message)
  }

  /** Every turn was blank, or what was in it could not be carried: there is nothing to answer. */
  refuseNothing(): never {
    const member = memberPath(pointerOf(this.client, 'messages'))
    throw new TranslateError(
      'invalid',
      `${member}: no turn with content is left to send`,
      member,
      'invalid_value',
    )
  }

  /** True when opaque material may be sent to this target. A false answer has been noted as a loss. */
  takes(opaque: Opaque, at: string): boolean {
    if (opaque.family === this.target.family) return true
    this.losses.add('drop', at, 'foreign_reasoning')
    return false
  }

  /**
   * Notes the loss of what no other dialect can do with a vendor's own part, or refuses. Returns the text that
   * stands for it, or null. Call it only for parts of another dialect.
   */
  vendorText(part: Part & { kind: 'vendor' }): string | null {
    if (part.essential)
      this.refuse(part.at, `a ${part.type} of ${part.dialect} means nothing to this model's API`)
    this.losses.add(part.text === null ? 'drop' : 'map', part.at, 'vendor_part')
    return part.text
  }

  /** Wishes that no dialect but the client's own can carry. Every writer for another dialect calls this once. */
  refuseForeign(prompt: Prompt): void {
    if (prompt.dialect === this.upstream) return
    // Messages: nothing shall be answered, only the cache be filled.
    if (prompt.outputTokensMax === 0) this.refuseWish('outputTokensMax', 'found 0, allowed is 1 or more')
    if (prompt.previousId !== null)
      this.refuseWish('previousId', 'earlier turns are stored at another vendor')
    if (prompt.conversation !== null) this.refuseWish('conversation', 'conversations live at another vendor')
    if (prompt.background) this.refuseWish('background', 'this model cannot answer in the background')
    if (prompt.cacheResource !== null) this.refuseWish('cacheResource', 'the cache lives at another vendor')
    if (prompt.audio !== null || prompt.modalities.some(modality => modality !== 'text')) {
      this.refuseWish('modalities', 'this model answers in text only')
    }
    for (const wish of prompt.vendorWishes) {
      if (wish.essential) this.refuse(`/${wish.name}`, `only ${prompt.dialect} hosts can honour it`)
      this.lose('drop', `/${wish.name}`, 'unsupported')
    }
    for (const safety of prompt.safety)
      this.lose('drop', `/${safety.name}`, 'safety_setting_of_another_vendor')
    for (const extra of prompt.extra) this.lose('drop', `/${extra.name}`, 'unknown_member')
  }
}
