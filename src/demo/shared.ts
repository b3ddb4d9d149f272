// The little that both mouths of the demo model share.

export type Json = Record<string, unknown>

/** Bytes of one event; `paced` ones wait for the next beat. */
export interface Frame {
  readonly text: string
  readonly paced: boolean
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text of a content member: a string, or the text parts of a list. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .filter(isRecord)
    .map(part => (typeof part['text'] === 'string' ? part['text'] : textOf(part['content'])))
    .join('')
}
