// Cache wishes that a target has no place for. They change what an answer costs, never what it says: they are told to
// the client like every other loss, and a strict caller is not refused for them.

import type { Part, Prompt } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'

/** What the target can be told. */
export interface CachePlaces {
  /** Marks on parts. */
  readonly marks: boolean
  readonly toolMarks: boolean
  /** Marks behind the result of a tool. */
  readonly resultMarks: boolean
  /** The wish that the vendor places marks itself. */
  readonly automatic: boolean
  readonly key: boolean
}

/** Every writer calls it once, with what it has written elsewhere. */
export function noteCacheHints(prompt: Prompt, writing: PromptWriting, places: CachePlaces): void {
  for (const turn of [...prompt.instructions, ...prompt.turns]) noteMarks(turn.parts, writing, places)
  if (!places.toolMarks) {
    for (const tool of prompt.tools) if (tool.cache !== null) writing.lose('drop', tool.at, 'cache_mark')
  }
  if (!places.automatic && prompt.cacheAuto !== null) writing.loseWish('drop', 'cacheAuto', 'automatic_cache')
  if (!places.key && prompt.cacheKey !== null) writing.loseWish('drop', 'cacheKey', 'cache_key')
}

function noteMarks(parts: readonly Part[], writing: PromptWriting, places: CachePlaces): void {
  for (const part of parts) {
    const placed = part.kind === 'result' ? places.resultMarks : places.marks
    if (part.cache !== null && !placed) writing.lose('drop', part.at, 'cache_mark')
    if (part.kind === 'result') noteMarks(part.parts, writing, places)
  }
}
