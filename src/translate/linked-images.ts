// Pictures that a prompt names by address, for upstreams that take them by value only. Owns which those are and how
// what was fetched takes their place; refuses to fetch, because the leaf asks nobody.

import type { DialectId } from './dialect.ts'
import { memberPath } from './loss.ts'
import type { MediaPart, Part, Prompt } from './prompt.ts'
import type { TargetFacts } from './target.ts'

export interface LinkedImage {
  readonly url: string
  /** Member of the client's body, for messages. */
  readonly param: string
}

export interface InlineImage {
  readonly url: string
  readonly mime: string
  readonly base64: string
}

/**
 * Whether a picture's address is best left to the target. Gemini takes addresses, too, but not with every model, and
 * with a type that an address seldom tells: what can be fetched is better given by value. A client of the target's own
 * dialect knows what it may write.
 */
export function takesLinks(client: DialectId, upstream: DialectId, target: TargetFacts): boolean {
  if (client === upstream) return target.facts.imageUrls
  return upstream !== 'bedrock-converse' && upstream !== 'gemini-generate' && target.facts.imageUrls
}

/** Files that are stored at Gemini, and addresses of no web. */
const OTHERS = /^(?!https?:)|^https:\/\/generativelanguage\.googleapis\.com\//i

/** Every address once, in the order of the prompt. */
export function linkedImages(prompt: Prompt): readonly LinkedImage[] {
  const found = new Map<string, LinkedImage>()
  const look = (part: MediaPart): MediaPart => {
    const { source } = part
    if (part.media === 'image' && source.kind === 'url' && !OTHERS.test(source.url)) {
      if (!found.has(source.url)) found.set(source.url, { url: source.url, param: memberPath(part.at) })
    }
    return part
  }
  for (const turn of [...prompt.instructions, ...prompt.turns]) mapped(turn.parts, look)
  return [...found.values()]
}

/** The prompt with what was fetched in place of its address. */
export function inlineImages(prompt: Prompt, images: readonly InlineImage[]): void {
  if (images.length === 0) return
  const byUrl = new Map(images.map(image => [image.url, image]))
  const exchange = (part: MediaPart): MediaPart => {
    const image = part.source.kind === 'url' ? byUrl.get(part.source.url) : undefined
    if (image === undefined || part.media !== 'image') return part
    return { ...part, mime: image.mime, source: { kind: 'base64', data: image.base64 } }
  }
  prompt.instructions = prompt.instructions.map(turn => ({ ...turn, parts: mapped(turn.parts, exchange) }))
  prompt.turns = prompt.turns.map(turn => ({ ...turn, parts: mapped(turn.parts, exchange) }))
}

/** Pictures stand in turns, in results of tools, and in documents made of parts. */
function mapped(parts: readonly Part[], change: (part: MediaPart) => MediaPart): readonly Part[] {
  return parts.map((part): Part => {
    if (part.kind === 'result' || part.kind === 'search-result')
      return { ...part, parts: mapped(part.parts, change) }
    if (part.kind !== 'media') return part
    const { source } = part
    if (source.kind !== 'parts') return change(part)
    return { ...part, source: { ...source, parts: mapped(source.parts, change) } }
  })
}
