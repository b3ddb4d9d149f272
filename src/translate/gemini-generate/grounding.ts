// Where a reply's text comes from: grounding and citation metadata of a candidate, both ways. Owns the conversion
// between this dialect's offsets, which count UTF-8 bytes, and ours, which count UTF-16 units.

import { countOf, listOf, type Members, membersOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { Citation } from '../prompt.ts'

/** Turns byte offsets into unit offsets; goes forward over the text once when they rise. */
class Offsets {
  private readonly text: string
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

/** UTF-8 bytes before a unit offset. */
export function bytesBefore(text: string, units: number): number {
  let bytes = 0
  for (let index = 0; index < units && index < text.length; ) {
    const code = text.codePointAt(index)!
    bytes += bytesOf(code)
    index += code > 0xffff ? 2 : 1
  }
  return bytes
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
    const start = offsetAt(segment?.['startIndex'] ?? 0, offsets)
    const end = offsetAt(segment?.['endIndex'], offsets)
    const quote = textOrNull(segment?.['text'])
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

/** A citation of another dialect, at home in a text whose first `bytesStart` bytes are other parts'. */
export interface Grounding {
  readonly citation: Citation
  readonly text: string
}

/** Citations of other dialects as grounding metadata; only those with an address can be said. Null when none can. */
export function groundingJson(groundings: readonly Grounding[]): string | null {
  const shown = groundings.filter(({ citation: each }) => each.url !== null)
  if (shown.length === 0) return null
  const urls = [...new Set(shown.map(({ citation: each }) => each.url!))]
  const out = new JsonOut().object().key('groundingChunks').array()
  for (const url of urls) {
    const title = shown.find(({ citation: each }) => each.url === url)?.citation.title ?? null
    out.object().key('web').object().member('uri', url).memberIf('title', title).endObject().endObject()
  }
  out.endArray().key('groundingSupports').array()
  for (const { citation: each, text } of shown) {
    const start = each.start ?? 0
    const end = each.end ?? text.length
    out.object().key('segment').object().member('startIndex', bytesBefore(text, start))
    out.member('endIndex', bytesBefore(text, end)).member('text', text.slice(start, end)).endObject()
    out.memberRaw('groundingChunkIndices', `[${urls.indexOf(each.url!)}]`).endObject()
  }
  return out.endArray().endObject().text
}
