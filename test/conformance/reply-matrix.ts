// Asks every pair of dialects what its client sees of what its upstream said. Owns the trick: what a client is written
// is read back by the reader of the client's own dialect.

import type { DialectId } from '../../src/translate/dialect.ts'
import { DIALECT_TABLE } from '../../src/translate/dialects.ts'
import { collected, replies, streams, translateReply } from '../translate/harness.ts'
import type { ReplyFeature } from './features/replies.ts'
import type { Cell } from './matrix.ts'

export interface Showing {
  readonly cell: Cell
  /** Recorded replies in which the client sees something else, with both readings. */
  readonly lost: readonly string[]
}

export function showing(feature: ReplyFeature, client: DialectId, upstream: DialectId): Showing {
  const lost: string[] = []
  let found = 0
  for (const [streaming, fixtures] of [
    [true, streams(upstream)],
    [false, replies(upstream)],
  ] as const) {
    for (const fixture of fixtures) {
      const said = feature.said(collected(DIALECT_TABLE[upstream]!, streaming, [fixture.bytes]))
      if (said === null) continue
      found += 1
      const written = translateReply(client, upstream, streaming, [fixture.bytes])
      const seen = feature.said(collected(DIALECT_TABLE[client]!, streaming, [written.bytes]))
      if (seen !== said)
        lost.push(`${streaming ? 'stream' : 'reply'} ${fixture.name}: said ${said}, seen ${seen}`)
    }
  }
  if (found === 0) return { cell: 'unsayable', lost }
  if (client === upstream) return { cell: 'native', lost }
  if (lost.length === 0) return { cell: 'translated', lost }
  return { cell: feature.unshown[client] === undefined ? 'silent' : 'not shown', lost }
}
