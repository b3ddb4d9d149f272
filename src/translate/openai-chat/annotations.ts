// Citations as Chat annotations: only those with an address exist there.

import { JsonOut } from '../bytes/json-out.ts'
import type { Citation } from '../prompt.ts'

/** `start` and `end` bound the cited part in the whole message. Null when this dialect cannot say it. */
export function annotationJson(citation: Citation, start: number, end: number): string | null {
  if (citation.url === null) return null
  const out = new JsonOut().object().member('type', 'url_citation').key('url_citation').object()
  out.member('start_index', citation.start === null ? start : start + citation.start)
  out.member('end_index', citation.end === null ? end : start + citation.end)
  out
    .member('url', citation.url)
    .member('title', citation.title ?? '')
    .endObject()
  return out.endObject().text
}
