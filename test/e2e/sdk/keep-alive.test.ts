// Official clients behind a gateway that shows them signs of life in the silence of a slow upstream: they read what
// they read without. That the signs were there is seen by a client that reads bytes.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signOfLife } from '../../../src/gateway/keep-alive.ts'
import type { DialectId } from '../../../src/translate/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream/index.ts'
import { type GatewayProcess, startGateway } from '../../support/gateway.ts'
import type { Client } from './answer.ts'
import { anthropicMessages } from './anthropic.ts'
import { bedrockConverse } from './bedrock.ts'
import { geminiGenerate } from './gemini.ts'
import { openaiChat, openaiResponses } from './openai.ts'

interface Case {
  readonly client: Client
  readonly path: string
  readonly body: (model: string) => object
  /** In the bytes of a slow reply; null where there must be none. */
  readonly sign: RegExp | null
}

const TEXT = 'one two three'
const USER = [{ role: 'user', content: TEXT }]

const CASES: Readonly<Record<DialectId, Case>> = {
  'openai-chat': {
    client: openaiChat,
    path: '/v1/chat/completions',
    body: model => ({ model, stream: true, messages: USER }),
    sign: /^: keep-alive$/m,
  },
  'openai-responses': {
    client: openaiResponses,
    path: '/v1/responses',
    body: model => ({ model, stream: true, input: TEXT }),
    sign: /^: keep-alive$/m,
  },
  'anthropic-messages': {
    client: anthropicMessages,
    path: '/v1/messages',
    body: model => ({ model, stream: true, max_tokens: 100, messages: USER }),
    sign: /^event: ping$/m,
  },
  'bedrock-converse': {
    client: bedrockConverse,
    path: '/model/MODEL/converse-stream',
    body: () => ({ messages: [{ role: 'user', content: [{ text: TEXT }] }] }),
    sign: null,
  },
  'gemini-generate': {
    client: geminiGenerate,
    path: '/v1beta/models/MODEL:streamGenerateContent?alt=sse',
    body: () => ({ contents: [{ role: 'user', parts: [{ text: TEXT }] }] }),
    sign: null,
  },
}

const DIALECTS = Object.keys(CASES) as DialectId[]
/** One upstream for relay, one for translation, whichever the client. */
const MODELS = { chat: 'chatbox/gpt-4o', messages: 'claudebox/claude-sonnet-4-5' } as const
const KEEP_ALIVE_MS = 100
/** Four intervals: a look may be late by two of its own. */
const SILENCE_MS = 400

let upstream: FakeUpstream
const gateways: GatewayProcess[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
  const { origin } = upstream
  const yaml = [
    'model_providers:',
    `  - { model: ${MODELS.chat}, access_key: key, provider_interface: openai, base_url: "${origin}/v1" }`,
    `  - { model: ${MODELS.messages}, access_key: key, provider_interface: anthropic, base_url: "${origin}" }`,
  ].join('\n')
  for (const acceptor of ['uws', 'node']) {
    gateways.push(
      await startGateway({
        yaml,
        server: `  acceptor: ${acceptor}`,
        listener: `    keep_alive: ${KEEP_ALIVE_MS}ms`,
      }),
    )
  }
})

afterAll(async () => {
  for (const gateway of gateways) await gateway.stop()
  await upstream?.close()
})

async function bytesOf(origin: string, { path, body }: Case, model: string): Promise<string> {
  const response = await fetch(origin + path.replace('MODEL', encodeURIComponent(model)), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer client-key' },
    body: JSON.stringify(body(model)),
  })
  expect(response.status).toBe(200)
  return await response.text()
}

describe.each([0, 1])('acceptor %s', acceptor => {
  describe.each(DIALECTS)('a client of %s', dialect => {
    const { client, sign } = CASES[dialect]

    test.each(Object.values(MODELS))('reads a slow stream of %s as it reads a quick one', async model => {
      const { origin } = gateways[acceptor]!
      const question = { model, text: TEXT, stream: true }
      const quick = await client.ask(origin, question)
      upstream.behave({ delayBetweenFramesMs: SILENCE_MS })
      try {
        const [slow, seen] = await Promise.all([
          client.ask(origin, question),
          bytesOf(origin, CASES[dialect], model),
        ])
        expect(slow).toEqual(quick)
        expect(slow.text).toContain(TEXT)
        if (sign !== null) expect(seen.match(new RegExp(sign, 'gm'))!.length).toBeGreaterThanOrEqual(3)
        else expect(seen).not.toMatch(/^: keep-alive|ping/m)
      } finally {
        upstream.behave({})
      }
    })
  })
})

/**
 * How earlier versions of the official JavaScript client for Gemini take events off what they have read: the next must
 * stand at the very start.
 */
function readByEarlierClients(stream: string): { readonly read: number; readonly left: string } {
  const event = /^data: (.*)(?:\n\n|\r\r|\r\n\r\n)/
  let left = stream
  let read = 0
  for (let found = event.exec(left); found !== null; found = event.exec(left)) {
    left = left.slice(found[0].length)
    read += 1
  }
  return { read, left }
}

test('clients of Gemini are shown no signs, because earlier versions read nothing behind a comment', async () => {
  const stream = await bytesOf(gateways[0]!.origin, CASES['gemini-generate'], MODELS.messages)
  const { read, left } = readByEarlierClients(stream)
  expect(left).toBe('')
  expect(read).toBeGreaterThan(2)
  const at = stream.indexOf('\r\n\r\n') + 4
  const commented = `${stream.slice(0, at)}: keep-alive\n\n${stream.slice(at)}`
  expect(readByEarlierClients(commented)).toEqual({ read: 1, left: commented.slice(at) })
  expect(signOfLife('gemini-generate')).toBeNull()
})
