// A written prompt and a refusal survive the way to another thread and back: every fixture, every pair.

import { describe, expect, test } from 'vitest'
import { translatedFromData, translateToData } from '../../src/compute/translation.ts'
import {
  type DialectId,
  openReply,
  PATH_DIALECTS,
  ReplyContext,
  translatePrompt,
} from '../../src/translate/index.ts'
import { ableTarget, dialects, prompts, replies } from '../translate/harness.ts'

const pathOf = (client: DialectId): { model: string; stream: boolean } | null =>
  PATH_DIALECTS.has(client) ? { model: 'asked-model', stream: true } : null

function outcome<T>(make: () => T): unknown {
  try {
    return make()
  } catch (thrown) {
    return { thrown, reply: (thrown as { reply?: unknown }).reply }
  }
}

const pairs = dialects.flatMap(client => dialects.map(upstream => [client.id, upstream.id] as const))

describe.each(pairs)('%s → %s', (client, upstream) => {
  const target = ableTarget(upstream)

  test.each(prompts(client).map(fixture => [fixture.name, fixture] as const))('%s', (_name, { bytes }) => {
    for (const strict of [false, true]) {
      const here = outcome(() => translatePrompt(client, upstream, bytes, target, strict, pathOf(client)))
      const there = outcome(() => {
        const wish = { client, upstream, body: bytes, target, strict, path: pathOf(client), images: [] }
        return translatedFromData(structuredClone(translateToData(structuredClone(wish))))
      })
      expect(there).toEqual(here)
    }
  })
})

describe('a context made again', () => {
  const tools = ['plain', 'with.dots and blanks', 'long'.repeat(40), 'ünï', '1st'].map(name => ({
    type: 'function',
    function: { name, parameters: { type: 'object' } },
  }))
  const body = new TextEncoder().encode(
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], tools, stream: true }),
  )
  const written = translatePrompt(
    'openai-chat',
    'anthropic-messages',
    body,
    ableTarget('anthropic-messages'),
    false,
  )
  const again = ReplyContext.fromData(structuredClone(written.context.toData()))

  test('has every member of the first, also those nobody has thought of yet', () => {
    expect(Object.keys(again)).toEqual(Object.keys(written.context))
    expect(again).toEqual(written.context)
    expect(again).toBeInstanceOf(ReplyContext)
  })

  test('knows the way back for every renamed tool, and renames as the first would', () => {
    for (const { function: made } of tools) {
      const target = written.context.names.toTarget(made.name)
      expect(again.names.toClient(target)).toEqual({ name: made.name, namespace: null })
      expect(again.names.toTarget(made.name)).toBe(target)
    }
    expect(again.names.toTarget('new one')).toBe(written.context.names.toTarget('new one'))
  })

  test('writes the same reply', () => {
    const write = (context: ReplyContext, bytes: Uint8Array): string => {
      context.nowS = 1_764_000_000
      context.idSeed = 'exchange-1'
      let text = ''
      const path = openReply({
        client: 'openai-chat',
        upstream: 'anthropic-messages',
        streaming: false,
        context,
        out: { write: chunk => (text += new TextDecoder().decode(chunk)) },
      })
      path.write(bytes)
      path.end()
      return text
    }
    for (const { bytes } of replies('anthropic-messages')) {
      expect(write(again, bytes)).toBe(write(written.context, bytes))
    }
  })
})
