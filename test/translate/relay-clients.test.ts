// Official clients read relayed streams that were torn off: none of them may take one for a success, and nearly
// everywhere they fail in their own words with our message.

import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { DIALECTS } from '../../src/translate/index.ts'
import { text } from './harness.ts'
import { CUT, fakeStream, relay } from './relay-fixtures.ts'

describe('official clients, torn off anywhere,', () => {
  const answer = (dialect: (typeof DIALECTS)[number], bytes: Uint8Array) => async (): Promise<Response> =>
    new Response(Buffer.from(relay(dialect, [bytes], 'cut').bytes), {
      headers: { 'content-type': 'text/event-stream' },
    })

  /** Class and message of what reading the stream threw, or what it took for a success. */
  async function thrownBy(read: () => Promise<AsyncIterable<unknown>>): Promise<unknown> {
    try {
      let count = 0
      for await (const _ of await read()) count += 1
      return `no error after ${count} events`
    } catch (thrown) {
      return thrown
    }
  }

  /** Frames that could be taken for the end of a reply stay torn: their clients fail on broken JSON. */
  function tornEnd(sent: Uint8Array): boolean {
    const frame = text(sent)
      .split(/\r?\n\r?\n/)
      .at(-1)!
    return /\[D|"finish_reason":"|"finishReason"|response\.(?:completed|incomplete)/.test(frame)
  }

  /** Every place of a stream where the client may lose it before its end. */
  function* prefixes(dialect: (typeof DIALECTS)[number], stride: number): Generator<Uint8Array> {
    const bytes = fakeStream(dialect)
    for (let length = 1; length < bytes.length; length += stride) {
      if (relay(dialect, [bytes.subarray(0, length)], 'cut').facts.state === 'failed')
        yield bytes.subarray(0, length)
    }
  }

  const options = { apiKey: 'k', maxRetries: 0, logLevel: 'off' as const }

  test('fail as Chat clients: with our message, but for a torn end', async () => {
    for (const sent of prefixes('openai-chat', 3)) {
      const client = new OpenAI({ ...options, fetch: answer('openai-chat', sent) })
      const thrown = await thrownBy(() =>
        client.chat.completions.create({ model: 'm', messages: [], stream: true }),
      )
      if (thrown instanceof SyntaxError) expect(tornEnd(sent), text(sent)).toBe(true)
      else expect(thrown).toBeInstanceOf(OpenAI.APIError)
      if (thrown instanceof OpenAI.APIError) expect(thrown.message).toBe(CUT.message)
    }
  })

  test('fail as Responses clients: with our message, but for a torn end', async () => {
    for (const sent of prefixes('openai-responses', 7)) {
      const client = new OpenAI({ ...options, fetch: answer('openai-responses', sent) })
      let said = ''
      const thrown = await thrownBy(async () => {
        const stream = await client.responses.create({ model: 'm', input: 'x', stream: true })
        return (async function* () {
          for await (const event of stream) {
            if (event.type === 'error') said = event.message
            else if (event.type === 'response.failed') said = event.response.error?.message ?? ''
            yield event
          }
        })()
      })
      if (thrown instanceof SyntaxError) expect(tornEnd(sent), text(sent)).toBe(true)
      else if (thrown instanceof OpenAI.APIError) expect(thrown.message).toBe(CUT.message)
      else expect(said, String(thrown)).toBe(CUT.message)
    }
  })

  test('fail as Messages clients: with our message, always', async () => {
    for (const sent of prefixes('anthropic-messages', 3)) {
      const client = new Anthropic({ ...options, fetch: answer('anthropic-messages', sent) })
      const thrown = await thrownBy(() =>
        client.messages.create({ model: 'm', max_tokens: 9, messages: [], stream: true }),
      )
      expect(thrown).toBeInstanceOf(Anthropic.APIError)
      expect((thrown as Error).message).toContain(CUT.message)
    }
  })

  test('fail as Gemini clients: with our message, but for a torn end', async () => {
    const fetched = globalThis.fetch
    try {
      for (const sent of prefixes('gemini-generate', 5)) {
        globalThis.fetch = answer('gemini-generate', sent)
        const client = new GoogleGenAI({ apiKey: 'k' })
        const thrown = await thrownBy(() =>
          client.models.generateContentStream({ model: 'm', contents: 'x' }),
        )
        expect(thrown).toBeInstanceOf(Error)
        if (!(thrown as Error).message.includes(CUT.message)) expect(tornEnd(sent), text(sent)).toBe(true)
      }
    } finally {
      globalThis.fetch = fetched
    }
  })

  test('fail as Bedrock clients: with the exception of a model that broke off, but for a torn head or end', async () => {
    let excepted = 0
    let total = 0
    for (const sent of prefixes('bedrock-converse', 3)) {
      const body = Readable.from([Buffer.from(relay('bedrock-converse', [sent], 'cut').bytes)])
      const client = new BedrockRuntimeClient({
        region: 'us-east-1',
        credentials: { accessKeyId: 'k', secretAccessKey: 's' },
        maxAttempts: 1,
        requestHandler: {
          handle: async () => ({
            response: {
              statusCode: 200,
              headers: { 'content-type': 'application/vnd.amazon.eventstream' },
              body,
            },
          }),
        } as never,
      })
      const thrown = await thrownBy(async () => {
        const reply = await client.send(new ConverseStreamCommand({ modelId: 'm', messages: [] }))
        return reply.stream!
      })
      expect(thrown, `after ${sent.length} bytes`).toBeInstanceOf(Error)
      total += 1
      if ((thrown as Error).name !== 'ModelStreamErrorException') expect(thrown).toBeInstanceOf(SyntaxError)
      else {
        expect((thrown as Error).message).toBe(CUT.message)
        excepted += 1
      }
    }
    expect(excepted / total).toBeGreaterThan(0.5)
  })
})
