// Which pictures of a prompt are named by address, and what takes their place.

import { expect, test } from 'vitest'
import {
  linkedImages,
  readPrompt,
  takesLinks,
  targetFacts,
  translatePrompt,
  UNKNOWN_MODEL,
} from '../../src/translate/index.ts'

const FACTS = targetFacts('m', 'x', { facts: { ...UNKNOWN_MODEL, images: true } })

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const MESSAGES = bytes({
  model: 'm',
  max_tokens: 9,
  system: 'see https://x.example/system.png',
  tools: [{ name: 't', input_schema: { type: 'object' } }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'https://x.example/text.png' },
        { type: 'image', source: { type: 'url', url: 'https://x.example/1.png' } },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://x.example/1.png' } },
        { type: 'document', source: { type: 'url', url: 'https://x.example/d.pdf' } },
        {
          type: 'document',
          source: {
            type: 'content',
            content: [{ type: 'image', source: { type: 'url', url: 'http://x.example/2.png' } }],
          },
        },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 't', input: {} }] },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: 'a',
          content: [{ type: 'image', source: { type: 'url', url: 'https://x.example/3.png' } }],
        },
      ],
    },
  ],
})

test('pictures by address are found wherever pictures may stand, each once, with the member that names them', () => {
  expect(linkedImages(readPrompt('anthropic-messages', MESSAGES))).toEqual([
    { url: 'https://x.example/1.png', param: 'messages[0].content[1]' },
    { url: 'http://x.example/2.png', param: expect.stringContaining('messages[0].content[5]') },
    { url: 'https://x.example/3.png', param: 'messages[2].content[0].content[0]' },
  ])
})

test('what was fetched takes the place of its address, and of nothing else', () => {
  const body = bytes({
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'https://x.example/1.png' },
          { type: 'image_url', image_url: { url: 'https://x.example/1.png', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://x.example/other.png' } },
        ],
      },
    ],
  })
  const images = [{ url: 'https://x.example/1.png', mime: 'image/webp', base64: 'UklGRg==' }]
  const written = translatePrompt('openai-chat', 'openai-chat', body, FACTS, false, null, images)
  const [message] = JSON.parse(Buffer.from(written.body).toString()).messages
  expect(message.content).toEqual([
    { type: 'text', text: 'https://x.example/1.png' },
    { type: 'image_url', image_url: { url: 'data:image/webp;base64,UklGRg==', detail: 'low' } },
    { type: 'image_url', image_url: { url: 'https://x.example/other.png' } },
  ])
})

test('who takes addresses is left them', () => {
  const plain = FACTS
  expect(takesLinks('openai-chat', 'anthropic-messages', plain)).toBe(true)
  expect(takesLinks('openai-chat', 'openai-chat', plain)).toBe(true)
  expect(takesLinks('gemini-generate', 'gemini-generate', plain)).toBe(true)
  expect(takesLinks('openai-chat', 'gemini-generate', plain)).toBe(false)
  expect(takesLinks('openai-chat', 'bedrock-converse', plain)).toBe(false)
  const byValue = { ...plain, facts: { ...plain.facts, imageUrls: false } }
  expect(takesLinks('openai-chat', 'openai-chat', byValue)).toBe(false)
})
