// Small helpers that several dialects of the fake upstream need.

import type { Json } from '../types.ts'

const encoder = new TextEncoder()

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text)
}

export function dataFrame(json: Json): Uint8Array {
  return bytesOf(`data: ${JSON.stringify(json)}\n\n`)
}

export function namedFrame(name: string, json: Json): Uint8Array {
  return bytesOf(`event: ${name}\ndata: ${JSON.stringify(json)}\n\n`)
}

/** The text of a `content` member: a string, or an array of parts with `text` in them. */
export function textOf(content: Json): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** Streamed tool input arrives in fragments; this cuts it into a few that ignore JSON's structure. */
export function fragmentsOf(json: string): string[] {
  const fragments: string[] = []
  const step = Math.max(1, Math.ceil(json.length / 3))
  for (let at = 0; at < json.length; at += step) fragments.push(json.slice(at, at + step))
  return fragments
}

export const CREATED_SECONDS = 1_700_000_000
