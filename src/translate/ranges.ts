// What numbers the dialects take, as their references state it. A table: writers bring the wishes of other dialects
// into the range of their own and tell what they moved; readers refuse counts that no host of their dialect takes.

import type { DialectId } from './dialect.ts'

export interface Range {
  readonly least: number
  readonly most: number
}

export type RangedWish = 'temperature' | 'topP' | 'presencePenalty' | 'frequencyPenalty'

const TO_ONE: Range = { least: 0, most: 1 }
const TO_TWO: Range = { least: 0, most: 2 }
const PENALTY: Range = { least: -2, most: 2 }

const WIDE: Readonly<Record<RangedWish, Range>> = {
  temperature: TO_TWO,
  topP: TO_ONE,
  presencePenalty: PENALTY,
  frequencyPenalty: PENALTY,
}

export const RANGES: Readonly<Record<DialectId, Readonly<Record<RangedWish, Range>>>> = {
  'openai-chat': WIDE,
  'openai-responses': WIDE,
  'anthropic-messages': { ...WIDE, temperature: TO_ONE },
  'bedrock-converse': { ...WIDE, temperature: TO_ONE },
  'gemini-generate': WIDE,
}

/** Most alternatives per token in every dialect that tells probabilities. */
export const LOGPROBS_MAX = 20

/** Counts of tokens, and of candidates for a token, are 32-bit numbers wherever a reference says what they are. */
export const COUNT_MAX = 2 ** 31 - 1

/** Chat's seeds are 64-bit numbers, Gemini's 32-bit ones; the others have none. */
const SEED_BITS: Readonly<Partial<Record<DialectId, number>>> = { 'openai-chat': 64, 'gemini-generate': 32 }

/** A seed in plain digits, or null where the dialect has no room for it. Digits are read exactly: 64 bits survive. */
export function fittingSeed(dialect: DialectId, spelled: string): string | null {
  const seed = Number(spelled)
  const rounded = Number.isSafeInteger(seed) ? BigInt(seed) : null
  const whole = /^-?\d{1,19}$/.test(spelled) ? BigInt(spelled) : rounded
  return whole !== null && BigInt.asIntN(SEED_BITS[dialect] ?? 0, whole) === whole ? String(whole) : null
}
