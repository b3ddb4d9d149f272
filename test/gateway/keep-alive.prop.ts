// A law of signs of life: written wherever a reply path allows one, in a stream cut anywhere, they change nothing of
// what a client reads.

import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signOfLife } from '../../src/gateway/keep-alive.ts'
import { type DialectId, openReply, relayReply, type ReplyPath } from '../../src/translate/index.ts'
import { bytes as bytesOf, contextFor, streams, text } from '../translate/harness.ts'
import { CUT, frameEnds, joined, pieces, streamsOf } from '../translate/relay-fixtures.ts'

const SEED = Number(process.env['FAST_CHECK_SEED'] ?? 1)
const RUNS = 20
const SHOWN = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

interface Driven {
  /** What the client was sent, signs of life and all. */
  readonly bytes: Uint8Array
  readonly signs: number
}

type OpenPath = (out: { write(bytes: Uint8Array): void }) => ReplyPath

/** Feeds the pieces and puts a sign behind each of them that `chosen` names and where one may stand. */
function drive(
  open: OpenPath,
  sign: Uint8Array,
  parts: readonly Uint8Array[],
  chosen: (at: number) => boolean,
  ending: 'end' | 'cut',
): Driven {
  const sent: Uint8Array[] = []
  let signs = 0
  const path = open({ write: bytes => void sent.push(bytes.slice()) })
  for (const [at, part] of parts.entries()) {
    path.write(part)
    // As the gateway does: nothing in front of the head, which leaves with the first bytes.
    if (!chosen(at) || sent.length === 0 || path.facts.state !== 'open' || !path.betweenEvents) continue
    sent.push(sign)
    signs += 1
  }
  if (ending === 'end') path.end()
  else path.cut(CUT)
  return { bytes: joined(sent), signs }
}

/** What an official parser hands on; pings are what a Messages client passes over. */
function eventsOf(bytes: Uint8Array): string[] {
  const seen: string[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'ping') seen.push(`${event ?? ''} ${data}`)
    },
  })
  parser.feed(text(bytes))
  parser.reset({ consume: true })
  return seen
}

/** What a client sees that takes lines for itself, as many do: whatever is no comment, in order. */
function linesOf(bytes: Uint8Array): string[] {
  const lines = text(bytes).split(/\r\n|\n|\r/)
  return lines.filter(
    line => line !== '' && !line.startsWith(':') && !/^event: ?ping$|^data: ?\{"type": ?"ping"\}$/.test(line),
  )
}

/** What a client sees that cuts at blank lines, with whole ends of lines: each block as it stands. */
function blocksOf(bytes: Uint8Array): string[] {
  const blocks = text(bytes).split(/\r\n\r\n|\n\n|\r\r/)
  return blocks
    .map(block => block.trim())
    .filter(block => block !== '' && !/^(?::|event: ?ping\n)/.test(block))
}

function law(open: OpenPath, dialect: DialectId, input: Uint8Array): void {
  const sign = signOfLife(dialect)!
  const plain = {
    end: drive(open, sign, [input], () => false, 'end'),
    cut: drive(open, sign, [input], () => false, 'cut'),
  }
  fc.assert(
    fc.property(
      fc.array(fc.nat(input.length), { maxLength: 40 }),
      fc.boolean(),
      fc.infiniteStream(fc.boolean()),
      fc.constantFrom('end' as const, 'cut' as const),
      (cuts, always, draws, ending) => {
        const { bytes } = drive(
          open,
          sign,
          pieces(input, cuts),
          () => always || draws.next().value === true,
          ending,
        )
        expect(eventsOf(bytes)).toEqual(eventsOf(plain[ending].bytes))
        expect(linesOf(bytes)).toEqual(linesOf(plain[ending].bytes))
        if (!text(input).includes('event: ping'))
          expect(blocksOf(bytes)).toEqual(blocksOf(plain[ending].bytes))
      },
    ),
    { seed: SEED, numRuns: RUNS },
  )
}

const spelled = (input: Uint8Array, lineEnd: string) =>
  bytesOf(`\ufeff${text(input).replace(/\r?\n/g, lineEnd)}`)

describe.each(SHOWN)('a relayed stream of %s', dialect => {
  const wishes = dialect === 'openai-chat' ? [false, true] : [false]
  describe.each(wishes)('with hidden usage: %s', hideUsage => {
    const open: OpenPath = out => relayReply({ dialect, streaming: true, hideUsage, out })

    test.each(streamsOf(dialect))('$name reads the same with signs of life in it', ({ bytes }) => {
      law(open, dialect, bytes)
    })

    test.each(['\n', '\r\n', '\r'])('reads the same where lines end in %j', lineEnd => {
      for (const { bytes } of streamsOf(dialect)) law(open, dialect, spelled(bytes, lineEnd))
    })

    test.each(['\n', '\r\n'])('allows one behind every event but the last, lines ending in %j', lineEnd => {
      for (const { bytes } of streamsOf(dialect).filter(({ name }) => name.startsWith('fake'))) {
        const input = spelled(bytes, lineEnd)
        const ends = frameEnds(dialect, input).slice(1)
        const { signs } = drive(open, signOfLife(dialect)!, pieces(input, ends), () => true, 'end')
        // Behind the end of the reply, and behind what is hidden before anything was shown, there is none.
        expect(signs).toBeGreaterThanOrEqual(ends.length - 3)
        expect(signs).toBeLessThanOrEqual(ends.length)
      }
    })

    test('allows none inside an event, wherever it is torn', () => {
      for (const { bytes } of streamsOf(dialect).filter(({ name }) => name.startsWith('fake'))) {
        const ends = new Set(frameEnds(dialect, bytes))
        for (let cut = 1; cut < bytes.length; cut += 1) {
          const shown: Uint8Array[] = []
          const path = open({ write: piece => void shown.push(piece.slice()) })
          path.write(bytes.subarray(0, cut))
          const shownBytes = shown.reduce((sum, piece) => sum + piece.length, 0)
          // An event that may have to be hidden is held from its start, and the client has seen none of it.
          if (shownBytes > 0 && path.betweenEvents) expect(ends.has(shownBytes), `cut at ${cut}`).toBe(true)
        }
      }
    })
  })
})

describe.each(SHOWN)('a stream translated for a client of %s', client => {
  const upstreams = [
    'openai-chat',
    'openai-responses',
    'anthropic-messages',
    'bedrock-converse',
    'gemini-generate',
  ] as const
  test.each(upstreams)('from %s reads the same with signs of life in it', upstream => {
    const open: OpenPath = out =>
      openReply({ client, upstream, streaming: true, context: contextFor(client, upstream), out })
    for (const { bytes } of streams(upstream)) law(open, client, bytes)
  })
})

test('documents, binary frames and arrays have no place for one', () => {
  const out = { write: () => {} }
  const paths = [
    relayReply({ dialect: 'openai-chat', streaming: false, hideUsage: false, out }),
    relayReply({ dialect: 'bedrock-converse', streaming: true, hideUsage: false, out }),
    openReply({
      client: 'openai-chat',
      upstream: 'anthropic-messages',
      streaming: false,
      context: contextFor('openai-chat', 'anthropic-messages'),
      out,
    }),
    openReply({
      client: 'bedrock-converse',
      upstream: 'openai-chat',
      streaming: true,
      context: contextFor('bedrock-converse', 'openai-chat'),
      out,
    }),
    openReply({
      client: 'gemini-generate',
      upstream: 'openai-chat',
      streaming: true,
      context: contextFor('gemini-generate', 'openai-chat'),
      out,
    }),
  ]
  expect(paths.map(path => path.betweenEvents)).toEqual(paths.map(() => false))
  expect(signOfLife('bedrock-converse')).toBeNull()
  expect(signOfLife('gemini-generate')).toBeNull()
})
