// A caller's own notes on a request where the target's dialect takes fewer, shorter or plainer ones than the client's.

import { hashHex } from './bytes/hash.ts'
import type { Prompt } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'

export interface MetadataBounds {
  readonly entriesMax: number
  readonly nameUnitsMax: number
  readonly valueUnitsMax: number
  /** Characters that names and values must not have, or null where all are taken. */
  readonly refused: RegExp | null
}

/** OpenAI's own bounds. */
export const OPENAI_METADATA: MetadataBounds = {
  entriesMax: 16,
  nameUnitsMax: 64,
  valueUnitsMax: 512,
  refused: null,
}

/** What can be sent, each name once. */
export function fittingMetadata(
  entries: Prompt['metadata'],
  bounds: MetadataBounds,
  writing: PromptWriting,
): ReadonlyMap<string, string> {
  const fitting = new Map<string, string>()
  if (entries.length > bounds.entriesMax) writing.loseWish('drop', 'metadata', 'too_many_entries')
  for (const entry of entries.slice(0, bounds.entriesMax)) {
    const name = cleaned(entry.name, bounds.refused, bounds.nameUnitsMax) || '_'
    const value = cleaned(entry.value, bounds.refused, bounds.valueUnitsMax)
    if (name !== entry.name || value !== entry.value) writing.loseWish('map', 'metadata', 'cleaned')
    fitting.set(name, value)
  }
  return fitting
}

function cleaned(text: string, refused: RegExp | null, unitsMax: number): string {
  return (refused === null ? text : text.replace(refused, '_')).slice(0, unitsMax)
}

/** The same user by a name that the target takes. */
export function fittingUserId(userId: string, unitsMax: number, refused: RegExp | null = null): string {
  const legal = userId.length <= unitsMax && (refused === null || userId.search(refused) === -1)
  return legal ? userId : `user_${hashHex(userId, 24)}`
}
