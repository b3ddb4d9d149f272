// The relay of replies: bytes pass untouched, and what they said is known.

import { describe, expect, test } from 'vitest'
import { DIALECTS, relay, streamsOf } from './relay-fixtures.ts'
import { text } from './harness.ts'

describe.each(DIALECTS)('a relayed stream of %s', dialect => {
  test.each(streamsOf(dialect))('$name passes untouched', ({ bytes }) => {
    const relayed = relay(dialect, [bytes])
    if (relayed.facts.state === 'complete') expect(text(relayed.bytes)).toBe(text(bytes))
    else expect(text(relayed.bytes).startsWith(text(bytes))).toBe(true)
  })
})
