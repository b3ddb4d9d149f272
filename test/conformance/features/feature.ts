// What a feature is: how each client says it, and how to see in a prompt that it has been said.

import type { DialectId } from '../../../src/translate/dialect.ts'
import type { Part, Prompt } from '../../../src/translate/prompt.ts'
import type { ModelFacts } from '../../../src/translate/target.ts'
import type { Json } from './bodies.ts'

/** A body that says it; a function where what is said depends on the upstream; null when the dialect cannot say it. */
export type Sample = Json | ((upstream: DialectId) => Json) | null

export interface Feature {
  readonly id: string
  /** What the feature is, for readers of the matrix. */
  readonly about: string
  readonly samples: Readonly<Record<DialectId, Sample>>
  /** Dialects in which a prompt that says nothing means it. */
  readonly impliedIn?: readonly DialectId[]
  /** What a model must be able to do for the feature to mean anything, beyond what all of them can. */
  readonly facts?: Partial<Record<DialectId, Partial<ModelFacts>>>
  /** True when the prompt says it. Asked of the client's prompt and of what the upstream reads. */
  arrived(prompt: Prompt): boolean
}

export const samples = (
  chat: Sample,
  responses: Sample,
  messages: Sample,
  converse: Sample,
  gemini: Sample,
): Feature['samples'] => ({
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  'bedrock-converse': converse,
  'gemini-generate': gemini,
})

/** Every part of every turn, those inside results and documents too. */
export function partsOf(prompt: Prompt): readonly Part[] {
  return [...prompt.instructions, ...prompt.turns].flatMap(turn => turn.parts.flatMap(nested))
}

function nested(part: Part): readonly Part[] {
  if (part.kind === 'result' || part.kind === 'search-result') return [part, ...part.parts.flatMap(nested)]
  return [part]
}

export function some<Kind extends Part['kind']>(
  prompt: Prompt,
  kind: Kind,
  holds: (part: Extract<Part, { kind: Kind }>) => boolean = () => true,
): boolean {
  return partsOf(prompt).some(part => part.kind === kind && holds(part as Extract<Part, { kind: Kind }>))
}

/** Texts of the leading instructions, in order, joined: dialects have one block or several. */
export function instructed(prompt: Prompt): string {
  return prompt.instructions
    .flatMap(turn => turn.parts.map(part => (part.kind === 'text' ? part.text : '')))
    .join(' ')
}
