// Known faults of gateways towards Bedrock: each has a test that says what is right. Their numbers are in `gaps.ts`.

import { describe, expect, test } from 'vitest'
import { ask, askWishing, type Loose } from './drive.ts'
import { asking, loop, message, PNG, SCHEMA, tools, wishing } from './features/bodies.ts'

const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const CHAT = 'openai-chat'
const hi = { role: 'user', content: 'hi' }

describe('a Converse body', () => {
  test('has images in the form of the service', () => {
    const part = { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }
    const { body } = ask(CHAT, CONVERSE, asking(CHAT, [part]))
    expect(body.messages[0].content).toEqual([{ image: { format: 'png', source: { bytes: PNG } } }])
  })

  test('has unions of one key, and its model in the path', () => {
    const { body, raw } = ask(MESSAGES, CONVERSE, {
      ...loop(MESSAGES, { result: [{ type: 'text', text: 'sunny' }] }),
      system: [{ type: 'text', text: 'Be brief.' }],
    })
    expect(body.system).toEqual([{ text: 'Be brief.' }])
    expect(body.messages[2].content[0].toolResult.content).toEqual([{ text: 'sunny' }])
    expect(raw).not.toMatch(/"type":"text"|model_id|modelId|"model":/)
  })

  test('has a valid tool configuration, whatever was chosen', () => {
    const none = askWishing(CHAT, CONVERSE, { ...tools(CHAT, ['weather']), tool_choice: 'none' })
    expect(none.body.toolConfig).toBeUndefined()
    const bare = askWishing(CHAT, CONVERSE, { tools: [], tool_choice: 'auto' })
    expect(bare.body.toolConfig).toBeUndefined()
    // The service wants tools whenever the history has calls.
    const { tools: _, ...without } = loop(CHAT, {}) as Loose
    expect(ask(CHAT, CONVERSE, without).body.toolConfig.tools).toHaveLength(1)
  })

  test('has turns that alternate', () => {
    const { body } = ask(CHAT, CONVERSE, {
      model: 'm',
      messages: [hi, hi, { role: 'assistant', content: 'a' }, { role: 'assistant', content: 'b' }, hi],
    })
    expect(body.messages.map((turn: Loose) => turn.role)).toEqual(['user', 'assistant', 'user'])
  })

  test('is refused an image by address, by the name of the part', () => {
    const part = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    expect(() => ask(CHAT, CONVERSE, asking(CHAT, [part]))).toThrow(/messages\[0\]\.content\[0\]/)
  })

  test('has one system block per block, with its cache points', () => {
    const system = [
      { type: 'text', text: 'A', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'text', text: 'B' },
    ]
    const { body } = askWishing(MESSAGES, CONVERSE, { system })
    expect(body.system).toEqual([
      { text: 'A' },
      { cachePoint: { type: 'default', ttl: '1h' } },
      { text: 'B' },
    ])
  })

  test('has thinking, top_k, effort, structured output, metadata and the tier', () => {
    const coarse = askWishing(CHAT, CONVERSE, { top_k: 7 })
    expect(coarse.body.additionalModelRequestFields).toEqual({ top_k: 7 })
    const { body } = askWishing(CHAT, CONVERSE, {
      reasoning_effort: 'high',
      metadata: { team: 'blue' },
      service_tier: 'flex',
      response_format: { type: 'json_schema', json_schema: { name: 'w', schema: SCHEMA } },
    })
    expect(body.additionalModelRequestFields).toMatchObject({ thinking: { type: 'adaptive' } })
    expect(JSON.stringify(body)).toContain('"effort":"high"')
    expect(JSON.parse(body.outputConfig.textFormat.structure.jsonSchema.schema)).toEqual(SCHEMA)
    expect(body).toMatchObject({ requestMetadata: { team: 'blue' }, serviceTier: { type: 'flex' } })
  })

  test('brings signed and redacted thoughts back', () => {
    const before = [
      { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's' } } },
      { reasoningContent: { redactedContent: 'eA==' } },
    ]
    expect(ask(CONVERSE, CONVERSE, loop(CONVERSE, { before })).body.messages[1].content.slice(0, 2)).toEqual(
      before,
    )
  })

  test('has documents with plain names', () => {
    const pdf = {
      type: 'document',
      title: 'Report: May/June.pdf',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
    }
    const { body } = ask(MESSAGES, CONVERSE, asking(MESSAGES, [pdf]))
    const { document } = body.messages[0].content.find((entry: Loose) => entry.document)
    expect(document).toMatchObject({ format: 'pdf', source: { bytes: 'JVBERi0=' } })
    expect(document.name).toMatch(/^[A-Za-z0-9 ()[\]-]+$/)
  })

  test('keeps the wish for latency beside the limits, not among them', () => {
    const body = wishing(CONVERSE, { performanceConfig: { latency: 'optimized' } })
    expect(ask(CONVERSE, CONVERSE, body).body.performanceConfig).toEqual({ latency: 'optimized' })
  })

  test('leaves system text between turns where it stands, or says it as the user', () => {
    const turns = [
      hi,
      message(MESSAGES, 'model', [{ type: 'text', text: 'a' }]),
      hi,
      { role: 'system', content: 'C' },
    ]
    const { body } = ask(
      MESSAGES,
      CONVERSE,
      { model: 'm', max_tokens: 9, messages: turns },
      { facts: { midSystem: false } },
    )
    expect(body.messages.at(-1).content.at(-1).text).toContain('C')
  })
})
