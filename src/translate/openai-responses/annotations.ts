// Citations as annotations of an output text, both ways. Only this dialect's own and those with an address can be
// said here.

import { textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { Citation } from '../prompt.ts'

/** `get` looks a member of the annotation up; `json` is its own text. */
export function citationOf(get: (name: string) => unknown, json: string): Citation {
  const count = (name: string): number | null => {
    const value = get(name)
    return typeof value === 'number' && value >= 0 ? value : null
  }
  return {
    kind: get('type') === 'url_citation' ? 'url' : 'file',
    url: textOrNull(get('url')),
    title: textOrNull(get('title')) ?? textOrNull(get('filename')),
    quote: null,
    start: count('start_index'),
    end: count('end_index'),
    documentIndex: null,
    dialect: 'openai-responses',
    json,
  }
}

/** `length` is that of the cited part, null while it may still grow: then a citation of the whole part waits. */
export function annotationJson(citation: Citation, length: number | null): string | null {
  if (citation.dialect === 'openai-responses') return citation.json
  if (citation.url === null) return null
  const end = citation.kind === 'url' ? citation.end : null
  if (end === null && length === null) return null
  const out = new JsonOut().object().member('type', 'url_citation')
  out.member('start_index', (citation.kind === 'url' ? citation.start : null) ?? 0)
  out.member('end_index', end ?? length).member('url', citation.url)
  return out.member('title', citation.title ?? '').endObject().text
}
