// Words and numbers for how much a model shall think. Owns the conversions; which of them a model understands is a
// fact of the target.

import { EFFORTS, type Effort, type ReasoningWish } from './prompt.ts'
import type { ModelFacts } from './target.ts'

/** Tokens that stand for a word where only a budget is understood. */
const BUDGET_TOKENS: Record<Effort, number> = {
  none: 0,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_000,
}

/** The least that Messages accepts. */
export const BUDGET_TOKENS_MIN = 1024

/** The word whose range a budget falls into. */
export function effortOfBudget(tokens: number): Effort {
  if (tokens <= 0) return 'none'
  if (tokens < 1500) return 'minimal'
  if (tokens < 5000) return 'low'
  if (tokens < 12_000) return 'medium'
  if (tokens < 20_000) return 'high'
  return tokens < 30_000 ? 'xhigh' : 'max'
}

export function budgetOfEffort(effort: Effort): number {
  return BUDGET_TOKENS[effort]
}

/** The word a wish amounts to, or null when the model is left to decide. */
export function effortOfWish(wish: ReasoningWish): Effort | null {
  if (wish.mode === 'off') return 'none'
  if (wish.effort !== null) return wish.effort
  return wish.budgetTokens === null ? null : effortOfBudget(wish.budgetTokens)
}

/** The nearest word the model takes: the next lower one, else the next higher. Null when it takes none. */
export function acceptedEffort(effort: Effort, facts: ModelFacts): Effort | null {
  const rank = EFFORTS.indexOf(effort)
  const lower = EFFORTS.slice(0, rank + 1).findLast(candidate => facts.efforts.includes(candidate))
  return lower ?? EFFORTS.slice(rank).find(candidate => facts.efforts.includes(candidate)) ?? null
}

export function effortOf(word: string | null): Effort | null {
  return EFFORTS.find(effort => effort === word) ?? null
}
