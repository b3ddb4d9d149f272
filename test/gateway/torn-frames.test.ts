// A binary stream cut at every byte, characters of several bytes in it: every frame that a client gets is sound, none
// says a character that was not sent, and the last word is an exception.

import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAKE_DIALECTS, type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { CALLERS, endings, speaking } from './callers.ts'
import { Handles } from './handles.ts'
import { Bench } from './harness.ts'

const handles = new Handles()
/** Requests under way at once. */
const CONCURRENT = 32
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const SAID = ['echo: ', 'one ', 'größer ', '数字 ', '"quoted" ', 'back\\slash ', '🙂']

let upstream: FakeUpstream
let bench: Bench

beforeAll(async () => {
  upstream = await startFakeUpstream({ record: false })
  bench = new Bench({
    patient: true,
    providers: [speaking('bedrock-converse', 'torn/alone', upstream.origin)],
  })
})

afterAll(async () => {
  await bench.close()
  await upstream.close()
  await handles.noneLeft()
})

/** Payloads of the frames; throws when one is not sound. */
function payloads(bytes: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const end = at + bytes.readUInt32BE(at) - CRC_BYTES
    expect(bytes.readUInt32BE(at + 8)).toBe(crc32(bytes.subarray(at, at + 8)))
    expect(bytes.readUInt32BE(end)).toBe(crc32(bytes.subarray(at, end)))
    found.push(bytes.toString('utf8', at + PRELUDE_BYTES + bytes.readUInt32BE(at + 4), end))
  }
  return found
}

/** What a client takes for the text; an event that is no JSON is none. */
function textOf(payload: string): string {
  try {
    return (JSON.parse(payload) as { delta?: { text?: string } }).delta?.text ?? ''
  } catch {
    return ''
  }
}

describe('a binary stream that is cut at any byte', () => {
  const turn = {
    id: 'fake1',
    model: 'alone',
    pieces: SAID,
    call: null,
    inputTokens: 1,
    outputTokens: 5,
    finish: 'stop',
  } as const
  const prompt = { stream: true, streamUsage: true } as Parameters<
    (typeof FAKE_DIALECTS)['bedrock-converse']['streamFrames']
  >[1]
  const { before, content, after } = FAKE_DIALECTS['bedrock-converse'].streamFrames(turn, prompt)
  const frames = [...before, ...content, ...after]
  const bytes = [...before, ...content].reduce((sum, { length }) => sum + length, 0)
  const caller = CALLERS.find(({ dialect, streaming }) => dialect === 'bedrock-converse' && streaming)!

  test.each(['reset', 'end'] as const)('by a %s says nothing that was not sent', async cut => {
    let begun = 0
    for (let from = 0; from < bytes; from += CONCURRENT) {
      const offsets = Array.from({ length: Math.min(CONCURRENT, bytes - from) }, (_, step) => from + step)
      for (const cutAfterBytes of offsets) {
        upstream.script({
          headers: ['content-type', FAKE_DIALECTS['bedrock-converse'].streamType],
          frames,
          behaviour: { cutAfterBytes, cut },
        })
      }
      const replies = await Promise.all(
        offsets.map(() => bench.call(caller.path('torn/alone'), caller.body('torn/alone'))),
      )
      for (const reply of replies.filter(({ status }) => status === 200)) {
        begun += 1
        const text = payloads(Buffer.concat(reply.pieces)).map(textOf).join('')
        expect(SAID.join('').startsWith(text), text).toBe(true)
        expect(endings(reply.text, 'bedrock-converse')).toEqual({ success: false, error: true })
      }
    }
    expect(begun).toBeGreaterThan(bytes / 2)
  })
})
