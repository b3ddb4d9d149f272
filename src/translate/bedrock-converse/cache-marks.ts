// Which of a prompt's cache marks are sent. The service takes a few; the last ones cover the most, so the first ones
// are left out. Marks are asked for in the order of the cache: tools, system, messages.

import type { CacheMark, Part, Prompt, PromptTurn, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'

/** Cache points per request that models take. */
const CACHE_POINTS_MAX = 4

export class CacheMarks {
  private readonly writing: PromptWriting
  private skip: number

  constructor(
    prompt: Prompt,
    tools: readonly Tool[],
    turns: readonly PromptTurn[],
    writing: PromptWriting,
    own: boolean,
  ) {
    this.writing = writing
    const marked =
      tools.filter(tool => tool.cache !== null).length +
      markedIn(prompt.instructions) +
      markedIn(turns) +
      (prompt.cacheAuto === null ? 0 : 1)
    this.skip = own ? 0 : Math.max(0, marked - CACHE_POINTS_MAX)
  }

  /** The mark if it is sent, else null; a mark that is left out has been noted. */
  take(mark: CacheMark | null, at: string): CacheMark | null {
    if (mark === null) return null
    if (!this.writing.target.facts.cacheMarks) {
      this.writing.lose('drop', at, 'cache_mark')
      return null
    }
    if (this.skip === 0) return mark
    this.skip -= 1
    this.writing.lose('drop', at, 'too_many_cache_marks')
    return null
  }
}

/** The mark of a part; results have room for one after them only, so their last inner mark stands for all. */
export function markOf(part: Part): CacheMark | null {
  if (part.kind !== 'result' || part.cache !== null) return part.cache
  return part.parts.findLast(inner => inner.cache !== null)?.cache ?? null
}

function markedIn(turns: readonly PromptTurn[]): number {
  let marked = 0
  for (const turn of turns) for (const part of turn.parts) if (markOf(part) !== null) marked += 1
  return marked
}
