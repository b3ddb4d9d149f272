// Citations of Converse, both ways: the same object stands in a block of citations and in a stream's delta.

import { JsonOut } from '../bytes/json-out.ts'
import { JsonArray, JsonObject } from '../bytes/json-tree.ts'
import type { Citation } from '../prompt.ts'
import { wordTable } from '../word-table.ts'

const LOCATIONS: Readonly<Record<string, Citation['kind']>> = wordTable({
  web: 'url',
  searchResultLocation: 'url',
  documentChar: 'char',
  documentPage: 'page',
  documentChunk: 'block',
})

const LOCATION_OF_KIND: Readonly<Partial<Record<Citation['kind'], string>>> = {
  char: 'documentChar',
  page: 'documentPage',
  block: 'documentChunk',
}

export function readCitation(citation: JsonObject): Citation {
  const location = objectOf(citation, 'location')
  const name = location?.keys.find(key => LOCATIONS[key] !== undefined) ?? ''
  const place = location === null ? null : objectOf(location, name)
  const source = textOf(citation, 'source')
  const kind = LOCATIONS[name] ?? (source !== null && isAddress(source) ? 'url' : 'file')
  const ranged = kind !== 'url' && kind !== 'file'
  return {
    kind,
    url: kind === 'url' ? (textOf(place, 'url') ?? source) : null,
    title: textOf(citation, 'title'),
    quote: quoteOf(citation),
    start: ranged ? countOf(place, 'start') : null,
    end: ranged ? countOf(place, 'end') : null,
    documentIndex: ranged ? countOf(place, 'documentIndex') : null,
    dialect: 'bedrock-converse',
    json: citation.json,
  }
}

/** A citation as Converse spells it, or null when it cannot say where the span comes from. */
export function citationJson(citation: Citation): string | null {
  if (citation.dialect === 'bedrock-converse') return citation.json
  const location = LOCATION_OF_KIND[citation.kind]
  const web = citation.kind === 'url' && citation.url !== null
  if (!web && (location === undefined || citation.documentIndex === null)) return null
  const out = new JsonOut().object().memberIf('title', citation.title)
  if (web) out.member('source', citation.url)
  if (citation.quote !== null) {
    out.key('sourceContent').array().object().member('text', citation.quote).endObject().endArray()
  }
  if (location !== undefined) {
    out.key('location').object().key(location).object().member('documentIndex', citation.documentIndex)
    out.memberIf('start', citation.start).memberIf('end', citation.end).endObject().endObject()
  } else if (isAddress(citation.url!)) {
    out.key('location').object().key('web').object().member('url', citation.url)
    out.member('domain', domainOf(citation.url!)).endObject().endObject()
  }
  return out.endObject().text
}

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

function domainOf(url: string): string {
  return /^https?:\/\/(?:[^/?#@]*@)?([^/?#:]*)/i.exec(url)?.[1]?.toLowerCase() ?? ''
}

function quoteOf(citation: JsonObject): string | null {
  const content = citation.get('sourceContent')
  if (!(content instanceof JsonArray)) return null
  const texts = content.values.flatMap(entry => {
    const text = entry instanceof JsonObject ? textOf(entry, 'text') : null
    return text === null ? [] : [text]
  })
  return texts.length === 0 ? null : texts.join('')
}

function objectOf(owner: JsonObject, name: string): JsonObject | null {
  const value = owner.get(name)
  return value instanceof JsonObject ? value : null
}

function textOf(owner: JsonObject | null, name: string): string | null {
  const value = owner?.get(name)
  return typeof value === 'string' ? value : null
}

function countOf(owner: JsonObject | null, name: string): number | null {
  const value = owner?.get(name)
  return typeof value === 'number' ? value : null
}
