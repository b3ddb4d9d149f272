// The relay of replies by example: what it knows, what it hides, what it writes when a reply breaks.

import { describe, expect, test } from 'vitest'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { DIALECTS, relayReply } from '../../src/translate/index.ts'
import { bytes as bytesOf, replies, streams, text, translateReply } from './harness.ts'
import { CUT, factsOf, fakeStream, frameEnds, pieces, relay, same, streamsOf } from './relay-fixtures.ts'

describe.each(DIALECTS)('a relayed reply of %s', dialect => {
  test.each(streamsOf(dialect))('streamed as $name passes untouched', ({ bytes }) => {
    expect(same(relay(dialect, [bytes], 'open').bytes, bytes)).toBe(true)
  })

  test.each(streamsOf(dialect))('streamed as $name is known as a reader knows it', ({ bytes }) => {
    const read = translateReply(dialect, dialect, true, [bytes])
    expect(factsOf(relay(dialect, [bytes]).facts)).toEqual(factsOf(read.facts))
  })

  test.each(replies(dialect))('whole as $name is known as a reader knows it', ({ bytes }) => {
    const read = translateReply(dialect, dialect, false, [bytes])
    const relayed = relay(dialect, [bytes], 'end', { streaming: false })
    expect(factsOf(relayed.facts)).toEqual(factsOf(read.facts))
    expect(same(relayed.bytes, bytes)).toBe(true)
  })

  test.each(replies(dialect))('whole as $name and torn off anywhere is never complete', ({ bytes }) => {
    const body = bytesOf(text(bytes).trimEnd())
    for (let length = 0; length < body.length; length++) {
      const torn = relay(dialect, [body.subarray(0, length)], 'end', { streaming: false })
      expect(torn.facts.state, `after ${length} bytes`).toBe('failed')
      expect(torn.bytes.length).toBe(length)
    }
  })
})

test('a stream of Gemini in one array is known as a document', () => {
  const array = streams('gemini-generate').find(fixture => fixture.bytes[0] === 0x5b)!
  const read = translateReply('gemini-generate', 'gemini-generate', true, [array.bytes])
  const relayed = relay('gemini-generate', [array.bytes], 'end', { streaming: false })
  expect(factsOf(relayed.facts)).toEqual(factsOf(read.facts))
})

test('what is no JSON is not complete', () => {
  for (const body of ['<html></html>', '{"a":1} {', '{"a":[1,2}', 'null', '"text"', '7', '{"a":"\n"}']) {
    expect(relay('openai-chat', [bytesOf(body)], 'end', { streaming: false }).facts.state, body).toBe(
      'failed',
    )
  }
})

describe('the chunk that only tells usage', () => {
  const head = '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m"'
  const delta = (text: string, more = ''): string =>
    `data: ${head},"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]${more}}\n\n`
  const finish = `data: ${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`
  const usage = `data: ${head},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n`
  const done = 'data: [DONE]\n\n'

  function shown(stream: string, cuts: readonly number[] = []): string {
    const relayed = relay('openai-chat', pieces(bytesOf(stream), cuts), 'end', { hideUsage: true })
    expect(relayed.facts.state).toBe('complete')
    return text(relayed.bytes)
  }

  test('is not shown, and nothing else is hidden, wherever the bytes are cut', () => {
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      const spell = (frames: string): string => frames.replaceAll('\n', lineEnd)
      const stream = spell(delta('a') + delta('b') + finish + usage + done)
      const wanted = spell(delta('a') + delta('b') + finish + done)
      for (let cut = 0; cut <= stream.length; cut++) {
        expect(shown(stream, [cut]), `cut at ${cut}`).toBe(wanted)
        expect(shown(stream, [cut, cut + 3, cut + 90])).toBe(wanted)
      }
      expect(
        shown(
          stream,
          Array.from(stream, (_, at) => at),
        ),
      ).toBe(wanted)
    }
  })

  test('is known all the same', () => {
    const { facts } = relay('openai-chat', [bytesOf(delta('a') + finish + usage + done)], 'end', {
      hideUsage: true,
    })
    expect(facts.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 })
  })

  test('is told by its empty choices: usage beside choices, null usage and other empty chunks are shown', () => {
    const counted = delta('a', ',"usage":{"prompt_tokens":3,"completion_tokens":1}')
    const filtered = `data: {"choices":[],"created":0,"id":"","prompt_filter_results":[]}\n\n`
    const stream = filtered + delta('a', ',"usage":null') + counted + ': ping\n\n' + finish + done
    for (let cut = 0; cut <= stream.length; cut++) expect(shown(stream, [cut])).toBe(stream)
  })

  test('is hidden as often as it comes', () => {
    expect(shown(delta('a') + usage + usage + delta('b') + usage + finish + usage + done)).toBe(
      delta('a') + delta('b') + finish + done,
    )
  })

  test('may name its usage before its choices, and may lack its last blank line', () => {
    const early = `data: {"usage":{"prompt_tokens":3,"completion_tokens":2},"choices":[]}`
    for (let cut = 0; cut <= early.length; cut++) {
      expect(shown(delta('a') + finish + early, [delta('a').length + finish.length + cut])).toBe(
        delta('a') + finish,
      )
    }
  })

  test('holds back less than a kilobyte of a paced stream, and only while it may still be that chunk', () => {
    const stream = bytesOf(delta('a') + delta('b'))
    const decided = delta('a').indexOf('"delta"')
    for (let length = 0; length <= stream.length; length++) {
      const left = relay('openai-chat', [stream.subarray(0, length)], 'open', { hideUsage: true }).bytes
        .length
      const frameFrom = length > delta('a').length ? delta('a').length : 0
      if (length - frameFrom >= decided) expect(left, `after ${length}`).toBe(length)
      else expect(left, `after ${length}`).toBeGreaterThanOrEqual(frameFrom)
    }
  })

  test('that outgrows the bound is shown', () => {
    const long = `data: {"choices":[],"pad":"${'x'.repeat(80_000)}","usage":{"prompt_tokens":3}}\n\n`
    const stream = delta('a') + finish + long + done
    const cuts = Array.from({ length: 80 }, (_, index) => 400 + index * 1_000)
    expect(shown(stream, cuts)).toBe(stream)
  })

  test('that is torn is dropped, and the error form stands behind a whole frame', () => {
    const sent = bytesOf(delta('a') + finish + usage.slice(0, 90))
    const { bytes, facts } = relay('openai-chat', [sent], 'cut', { hideUsage: true })
    expect(facts.state).toBe('failed')
    expect(text(bytes).startsWith(`${delta('a')}${finish}data: {"error":{"message":"${CUT.message}"`)).toBe(
      true,
    )
  })
})

describe('a long event', () => {
  const MIB = 1024 * 1024

  /** The bytes the relay keeps of an event of `mib` MiB, given in pieces of 64 KiB, and what became of it. */
  function long(mib: number): { passed: number; written: string; state: string } {
    const tail = new ByteOut()
    let passed = 0
    let last: Uint8Array = new Uint8Array(0)
    const out = {
      write: (bytes: Uint8Array) => {
        passed += bytes.length
        last = bytes
      },
    }
    const path = relayReply({ dialect: 'openai-chat', streaming: true, hideUsage: false, out })
    path.write(bytesOf('data: {"choices":[{"index":0,"delta":{"content":"'))
    const piece = new Uint8Array(64 * 1024).fill(0x61)
    for (let sent = 0; sent < mib * MIB; sent += piece.length) path.write(piece)
    path.write(bytesOf('"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'))
    path.end()
    tail.bytes(last)
    return { passed, written: text(tail.take()), state: path.facts.state }
  }

  test('of five megabytes passes', () => {
    expect(long(5)).toMatchObject({ state: 'complete' })
  })

  test('beyond the bound is the end, and the error names the bound', () => {
    const { state, written, passed } = long(33)
    expect(state).toBe('failed')
    expect(written).toContain(`an event is longer than ${32 * MIB} bytes`)
    expect(passed).toBeLessThan(33 * MIB)
  })
})

test('a frame that announces an absurd length and is torn there breaks nothing', () => {
  for (const length of [1, 4, 7, 8, 11]) {
    const sent = Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3).subarray(0, length)
    const { bytes, facts } = relay('bedrock-converse', [sent], 'cut')
    expect(facts.state).toBe('failed')
    expect(bytes.length).toBe(length)
  }
})

test('a frame whose lengths contradict each other, as far as they were sent, is not completed', () => {
  // 118 bytes in all, and at least 2,560 of headers; then totals below the smallest frame.
  for (const prelude of [
    [0, 0, 0, 118, 0, 0, 10],
    [0, 0, 0, 118, 0, 0, 10, 0],
    [0, 0, 0, 5, 0],
    [0, 0, 0, 0],
  ]) {
    const { bytes, facts } = relay('bedrock-converse', [Uint8Array.from(prelude)], 'cut')
    expect(facts.state).toBe('failed')
    expect([...bytes]).toEqual(prelude)
  }
})

test('a response that fails names the response its client knows, and the next number', () => {
  const bytes = fakeStream('openai-responses')
  const sent = bytes.subarray(0, frameEnds('openai-responses', bytes)[4])
  const tail = text(relay('openai-responses', [sent], 'cut').bytes.subarray(sent.length))
  const failed = JSON.parse(tail.slice(tail.indexOf('{')))
  expect(failed).toMatchObject({
    type: 'response.failed',
    sequence_number: 4,
    response: { id: 'resp_turn1', status: 'failed', error: { code: 'server_error', message: CUT.message } },
  })
})

test('[DONE] is an end even when the blank line behind it is lost with the connection', () => {
  const stream = text(fakeStream('openai-chat')).trimEnd()
  expect(relay('openai-chat', [bytesOf(stream)], 'cut').facts.state).toBe('complete')
})

test('what an upstream said of itself is not said again', () => {
  for (const dialect of DIALECTS) {
    const failing = streamsOf(dialect).find(
      fixture => relay(dialect, [fixture.bytes]).facts.state === 'failed',
    )
    if (failing === undefined) continue
    expect(same(relay(dialect, [failing.bytes], 'cut').bytes, failing.bytes), dialect).toBe(true)
  }
})
