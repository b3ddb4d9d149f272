// Laws of counting bodies: any bytes have a count, and more text never costs less.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countBody } from '../../src/compute/counting/count.ts'
import { DIALECTS } from '../../src/translate/index.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`count properties: FAST_CHECK_SEED=${seed}`)

const MEMBERS = [
  'messages',
  'role',
  'content',
  'text',
  'type',
  'tools',
  'function',
  'parameters',
  'properties',
  'input_schema',
  'system',
  'contents',
  'parts',
  'input',
  'image_url',
  'source',
  'data',
  'toolUse',
  'toolConfig',
  'functionDeclarations',
  'items',
  'enum',
]
const TYPES = [
  'text',
  'image',
  'image_url',
  'tool_use',
  'tool_result',
  'document',
  'function',
  'message',
  'file',
]

/** JSON that looks like a body to a reader that does not look twice. */
const likeBody = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'medium', maxDepth: 7 },
    fc.constantFrom(null, true, 0, -1.5, '', 'some words', ...TYPES),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...MEMBERS), tie('value'), { maxKeys: 6 }),
  ),
})).value

const dialect = fc.constantFrom(...DIALECTS)
const model = fc.constantFrom('gpt-4o', 'gpt-4', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'nobody')

test('whatever the JSON, the count is a whole number and nothing is thrown', async () => {
  const counts = fc.asyncProperty(likeBody, dialect, model, async (body, client, name) => {
    const bytes = new TextEncoder().encode(JSON.stringify(body))
    const { tokens } = await countBody(name, client, bytes)
    expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true)
  })
  await fc.assert(counts, { seed, numRuns: 3_000 })
})

test('whatever the bytes, the count is a whole number and nothing is thrown', async () => {
  const counts = fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), dialect, async (bytes, client) => {
    const { tokens } = await countBody('gpt-4o', client, bytes)
    expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true)
  })
  await fc.assert(counts, { seed, numRuns: 1_000 })
})

test('one more message never costs less', async () => {
  const messages = fc.array(fc.record({ role: fc.constant('user'), content: fc.string() }), { minLength: 1 })
  const grows = fc.asyncProperty(messages, async list => {
    const cost = async (some: readonly unknown[]): Promise<number> => {
      const bytes = new TextEncoder().encode(JSON.stringify({ messages: some }))
      return (await countBody('gpt-4o', 'openai-chat', bytes)).tokens
    }
    expect(await cost(list)).toBeGreaterThan(await cost(list.slice(0, -1)))
  })
  await fc.assert(grows, { seed, numRuns: 300 })
})
