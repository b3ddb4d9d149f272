// Where a reply's text comes from: grounding and citation metadata of a candidate, both ways. Owns the conversion
// between this dialect's offsets, which count UTF-8 bytes, and ours, which count UTF-16 units.

import { countOf, listOf, type Members, membersOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { Citation } from '../prompt.ts'

/** Turns byte offsets into unit offsets; goes forward over the text once when they rise. */
class Offsets {
  readonly text: string
  private bytes: number
  private units: number

  constructor(text: string) {
    this.text = text
    this.bytes = 0
    this.units = 0
  }

  /** Null for an offset outside the text. */
  unitsAt(bytes: number): number | null {
    if (bytes < this.bytes) {
      this.bytes = 0
      this.units = 0
    }
    while (this.bytes < bytes) {
      const code = this.text.codePointAt(this.units)
      if (code === undefined) return null
      this.bytes += bytesOf(code)
      this.units += code > 0xffff ? 2 : 1
    }
    return this.units
  }
}

function bytesOf(code: number): number {
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code > 0xffff ? 4 : 3
}

/** Citations of the text `said`, or without ranges when it is null because it was too long to keep. */
export function citationsOf(candidate: Members, said: string | null): Citation[] {
  const offsets = said === null ? null : new Offsets(said)
  const grounding = membersOf(candidate['groundingMetadata'])
  const cited = membersOf(candidate['citationMetadata'])
  return [
    ...(grounding === null ? [] : groundedBy(grounding, offsets)),
    ...(cited === null ? [] : listOf(cited['citations']).flatMap(entry => citedBy(entry, offsets))),
  ]
}

function groundedBy(grounding: Members, offsets: Offsets | null): Citation[] {
  const chunks = listOf(grounding['groundingChunks'])
  return listOf(grounding['groundingSupports']).flatMap(support => {
    const members = membersOf(support)
    const segment = membersOf(members?.['segment'])
    const quote = textOrNull(segment?.['text'])
    let start = offsetAt(segment?.['startIndex'] ?? 0, offsets)
    let end = offsetAt(segment?.['endIndex'], offsets)
    if (quote !== null && offsets !== null && offsets.text.slice(start ?? 0, end ?? 0) !== quote) {
      // The offsets count from another part than the one that is open: the words tell where they are.
      const found = offsets.text.indexOf(quote)
      start = found === -1 ? null : found
      end = found === -1 ? null : found + quote.length
    }
    return listOf(members?.['groundingChunkIndices']).flatMap(index => {
      const chunk = typeof index === 'number' ? membersOf(chunks[index]) : null
      const source = membersOf(chunk?.['web']) ?? membersOf(chunk?.['retrievedContext'])
      return source === null ? [] : [citation(source, quote, start, end, JSON.stringify(chunk))]
    })
  })
}

function citedBy(entry: unknown, offsets: Offsets | null): Citation[] {
  const members = membersOf(entry)
  if (members === null) return []
  const start = offsetAt(members['startIndex'] ?? 0, offsets)
  const end = offsetAt(members['endIndex'], offsets)
  return [citation(members, null, start, end, JSON.stringify(members))]
}

function offsetAt(value: unknown, offsets: Offsets | null): number | null {
  const bytes = countOf(value)
  return bytes === null || offsets === null ? null : offsets.unitsAt(bytes)
}

function citation(
  source: Members,
  quote: string | null,
  start: number | null,
  end: number | null,
  json: string,
): Citation {
  const ranged = start !== null && end !== null && start <= end
  return {
    kind: 'url',
    url: textOrNull(source['uri']),
    title: textOrNull(source['title']),
    quote,
    start: ranged ? start : null,
    end: ranged ? end : null,
    documentIndex: null,
    dialect: 'gemini-generate',
    json,
  }
}

/** A part of a candidate as the writers of this dialect keep it. */
export interface CitedPart {
  readonly kind: string
  readonly text: string
  readonly citations: readonly Citation[]
}

interface Support {
  readonly url: string
  readonly title: string | null
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Citations of other dialects as grounding metadata; only those with an address can be said. Offsets count from the
 * start of the candidate's text, which clients join before they use them. Null when there is none.
 */
export function groundingJson(parts: readonly CitedPart[]): string | null {
  const supports = parts.some(part => part.citations.length > 0) ? supportsOf(parts) : []
  if (supports.length === 0) return null
  const urls = [...new Set(supports.map(support => support.url))]
  const out = new JsonOut().object().key('groundingChunks').array()
  for (const url of urls) {
    const title = supports.find(support => support.url === url)?.title ?? null
    out.object().key('web').object().member('uri', url).memberIf('title', title).endObject().endObject()
  }
  out.endArray().key('groundingSupports').array()
  for (const { url, start, end, text } of supports) {
    out.object().key('segment').object().member('startIndex', start).member('endIndex', end)
    out.member('text', text).endObject()
    out.memberRaw('groundingChunkIndices', `[${urls.indexOf(url)}]`).endObject()
  }
  return out.endArray().endObject().text
}

function supportsOf(parts: readonly CitedPart[]): Support[] {
  const supports: Support[] = []
  let before = 0
  for (const { kind, text, citations } of parts) {
    if (kind !== 'text' && kind !== 'refusal') continue
    for (const { dialect, url, title, start, end } of citations) {
      // Our own kind travels as a whole, with everything else that grounds the reply.
      if (dialect === 'gemini-generate' || url === null) continue
      const from = start ?? 0
      const to = end ?? text.length
      supports.push({
        url,
        title,
        start: before + bytesBefore(text, from),
        end: before + bytesBefore(text, to),
        text: text.slice(from, to),
      })
    }
    before += bytesBefore(text, text.length)
  }
  return supports
}

/** UTF-8 bytes before a unit offset. */
function bytesBefore(text: string, units: number): number {
  let bytes = 0
  for (let index = 0; index < units && index < text.length; ) {
    const code = text.codePointAt(index)!
    bytes += bytesOf(code)
    index += code > 0xffff ? 2 : 1
  }
  return bytes
}
