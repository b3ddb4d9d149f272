// Numbers at and beyond the bounds that the references of the dialects state: a reader refuses what every host of its
// dialect refuses, naming the member the client wrote; a writer sends nothing outside its own dialect's range.

import { describe, expect, test } from 'vitest'
import { readPrompt, writePrompt } from '../../src/translate/pair.ts'
import type { ModelFacts, TargetFacts } from '../../src/translate/target.ts'
import { fittingSeed } from '../../src/translate/ranges.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import type { DialectId } from '../../src/translate/dialect.ts'
import { faultsOf } from '../fuzz/strict-prompts.ts'
import { ableTarget, dialects, prompts, text } from './harness.ts'

const bytes = (body: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(body))

const BODIES = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'x' }] },
  'openai-responses': { model: 'm', input: 'x' },
  'anthropic-messages': { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'x' }] },
  'bedrock-converse': { messages: [{ role: 'user', content: [{ text: 'x' }] }] },
  'gemini-generate': { contents: [{ parts: [{ text: 'x' }] }] },
} as const satisfies Record<DialectId, object>

function unlessRefused<Result>(run: () => Result): Result | null {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof TranslateError)) throw error
    return null
  }
}

function refusal(dialect: DialectId, members: object): unknown {
  try {
    readPrompt(dialect, bytes({ ...BODIES[dialect], ...members }))
    return null
  } catch (error) {
    if (!(error instanceof TranslateError)) throw error
    return error.reply
  }
}

const within = (config: object): object => ({ generationConfig: { responseLogprobs: true, ...config } })

const ALTERNATIVES: readonly [DialectId, string, (count: number) => object][] = [
  ['openai-chat', 'top_logprobs', count => ({ logprobs: true, top_logprobs: count })],
  ['openai-responses', 'top_logprobs', count => ({ top_logprobs: count })],
  ['gemini-generate', 'generationConfig.logprobs', count => within({ logprobs: count })],
]

describe.each(ALTERNATIVES)('%s, alternatives per token in %s', (dialect, param, asking) => {
  test.each([-1, 1.5, 21, 4096, 2 ** 31, 2 ** 53, 1e21])('%d is refused', count => {
    expect(refusal(dialect, asking(count))).toMatchObject({ kind: 'invalid', status: 400, param })
  })

  test.each([0, 1, 20])('%d is read', count => {
    expect(readPrompt(dialect, bytes({ ...BODIES[dialect], ...asking(count) })).logprobs).toBe(
      dialect === 'openai-responses' && count === 0 ? null : count,
    )
  })
})

/** What becomes of members of one dialect in the body of another: the member there, and the losses. */
function written(
  client: DialectId,
  members: object,
  upstream: DialectId,
  more: Partial<ModelFacts> = {},
  host: Partial<TargetFacts> = {},
): { body: Record<string, unknown>; losses: string[] } {
  const prompt = readPrompt(client, bytes({ ...BODIES[client], ...members }))
  const { body, losses } = writePrompt(prompt, upstream, { ...ableTarget(upstream, more), ...host }, false)
  return {
    body: JSON.parse(text(body)) as Record<string, unknown>,
    losses: losses.map(loss => `${loss.action} ${loss.field} ${loss.reason}`),
  }
}

const config = (members: object): object => ({ generationConfig: members })

describe('numbers beyond the range of the other dialect', () => {
  test.each<[DialectId, object, DialectId, object, string]>([
    ['openai-chat', { temperature: 1.5 }, 'anthropic-messages', { temperature: 1 }, '/temperature'],
    ['openai-chat', { temperature: -1 }, 'anthropic-messages', { temperature: 0 }, '/temperature'],
    ['anthropic-messages', { temperature: 4096 }, 'openai-chat', { temperature: 2 }, '/temperature'],
    ['anthropic-messages', { temperature: -0.5 }, 'openai-responses', { temperature: 0 }, '/temperature'],
    ['openai-responses', { top_p: 2 }, 'openai-chat', { top_p: 1 }, '/top_p'],
    ['openai-responses', { top_p: 1e21 }, 'gemini-generate', config({ topP: 1 }), '/top_p'],
    ['openai-chat', { top_p: -1 }, 'bedrock-converse', { inferenceConfig: { topP: 0 } }, '/top_p'],
    [
      'openai-chat',
      { presence_penalty: 21 },
      'gemini-generate',
      config({ presencePenalty: 2 }),
      '/presence_penalty',
    ],
    [
      'gemini-generate',
      config({ frequencyPenalty: -4096 }),
      'openai-chat',
      { frequency_penalty: -2 },
      '/generationConfig/frequencyPenalty',
    ],
    ['anthropic-messages', { top_k: 1e21 }, 'gemini-generate', config({ topK: 2 ** 31 - 1 }), '/top_k'],
  ])('%s %j for %s become %j', (client, members, upstream, expected, field) => {
    const { body, losses } = written(client, members, upstream)
    expect(body).toMatchObject(expected)
    expect(losses).toContain(`map ${field} clamped`)
  })

  test('a fraction of a candidate is rounded', () => {
    const { body, losses } = written('gemini-generate', config({ topK: 39.6 }), 'anthropic-messages')
    expect(body['top_k']).toBe(40)
    expect(losses).toEqual(['map /generationConfig/topK rounded'])
  })

  test.each([0, -1, 0.4])('%d candidates mean all of them and are left out', top_k => {
    const { body, losses } = written('openai-chat', { top_k }, 'anthropic-messages')
    expect(body).not.toHaveProperty('top_k')
    expect(losses).toContain('drop /top_k out_of_range')
  })

  test.each<[DialectId, object, DialectId, string]>([
    ['openai-chat', { max_tokens: 1e21 }, 'gemini-generate', 'generationConfig'],
    ['gemini-generate', config({ maxOutputTokens: 1e21 }), 'openai-chat', 'max_completion_tokens'],
    ['openai-chat', { max_tokens: 2 ** 53 }, 'anthropic-messages', 'max_tokens'],
    ['openai-chat', { max_tokens: 2 ** 31 }, 'bedrock-converse', 'inferenceConfig'],
  ])(
    '%s %j for %s is no more than 32 bits hold, where the model is unknown',
    (client, members, upstream, name) => {
      const { body, losses } = written(client, members, upstream, { outputTokensMax: null })
      expect(JSON.stringify(body[name])).toContain('2147483647')
      expect(losses.some(loss => loss.endsWith('above_model_maximum'))).toBe(true)
    },
  )

  test('thoughts are paid for within what every model of the other dialect takes', () => {
    const thinking = (budget_tokens: number): object => ({ thinking: { type: 'enabled', budget_tokens } })
    const budget = (tokens: number): unknown =>
      written('anthropic-messages', thinking(tokens), 'gemini-generate', { reasoning: 'budget' }).body
    expect(budget(1)).toMatchObject(config({ thinkingConfig: { thinkingBudget: 512 } }))
    expect(budget(20_000)).toMatchObject(config({ thinkingConfig: { thinkingBudget: 20_000 } }))
    expect(budget(2 ** 31)).toMatchObject(config({ thinkingConfig: { thinkingBudget: 24_576 } }))
    expect(refusal('anthropic-messages', thinking(-1))).toMatchObject({ param: 'thinking.budget_tokens' })
  })

  test('a huge budget leaves the limit of the output a number that Converse takes', () => {
    const asked = { generationConfig: { thinkingConfig: { thinkingBudget: 2 ** 31 - 1 } } }
    const { body } = written('gemini-generate', asked, 'bedrock-converse', {
      reasoning: 'budget',
      vendorFields: 'anthropic',
      outputTokensMax: null,
    })
    expect(body['inferenceConfig']).toEqual({ maxTokens: 2 ** 31 - 1 })
  })

  test('Nova chooses from 128 candidates at most', () => {
    const { body } = written('openai-chat', { top_k: 500 }, 'bedrock-converse', { vendorFields: 'amazon' })
    expect(body['additionalModelRequestFields']).toEqual({ inferenceConfig: { topK: 128 } })
  })
})

describe('a seed', () => {
  test.each<[DialectId, string, string | null]>([
    ['openai-chat', '9223372036854775807', '9223372036854775807'],
    ['openai-chat', '-9223372036854775808', '-9223372036854775808'],
    ['openai-chat', '9223372036854775808', null],
    ['openai-chat', '1e21', null],
    ['openai-chat', '1.5', null],
    ['openai-chat', '7.0', '7'],
    ['openai-chat', '1e3', '1000'],
    ['gemini-generate', '2147483647', '2147483647'],
    ['gemini-generate', '2147483648', null],
    ['gemini-generate', '-2147483648', '-2147483648'],
    ['anthropic-messages', '1', null],
  ])('for %s of %s is %s', (dialect, spelled, fitting) => {
    expect(fittingSeed(dialect, spelled)).toBe(fitting)
  })
})

describe('words and names beyond the alphabet of the other dialect', () => {
  test('an unknown word is refused by its member', () => {
    expect(refusal('openai-chat', { verbosity: 'chatty' })).toMatchObject({ param: 'verbosity' })
    expect(refusal('openai-responses', { text: { verbosity: '' } })).toMatchObject({
      param: 'text.verbosity',
    })
    const image = { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'ultra' } }
    const messages = [{ role: 'user', content: [image] }]
    expect(refusal('openai-chat', { messages })).toMatchObject({
      param: 'messages[0].content[0].image_url.detail',
    })
  })

  test('the finest look at an image that Chat knows is the high one', () => {
    const image = { type: 'input_image', image_url: 'https://x/y.png', detail: 'original' }
    const { body, losses } = written(
      'openai-responses',
      { input: [{ role: 'user', content: [image] }] },
      'openai-chat',
    )
    expect(JSON.stringify(body)).toContain('"detail":"high"')
    expect(losses).toEqual(['map /input/0/content/0 image_detail'])
  })

  test.each(['openai-chat', 'openai-responses'] as const)('the name of a form of output for %s', upstream => {
    const structure = { jsonSchema: { name: 'the answer', schema: '{"type":"object"}' } }
    const { body, losses } = written(
      'bedrock-converse',
      { outputConfig: { textFormat: { type: 'json_schema', structure } } },
      upstream,
    )
    expect(JSON.stringify(body)).toMatch(/"name":"the_answer_[0-9a-f]{8}"/)
    expect(losses).toContain('map /outputConfig/textFormat renamed')
  })

  test.each(['openai-chat', 'openai-responses', 'bedrock-converse'] as const)(
    'a user without a name is not told to %s',
    upstream => {
      const { body, losses } = written('anthropic-messages', { metadata: { user_id: '' } }, upstream)
      expect(body).not.toHaveProperty('safety_identifier')
      expect(body).not.toHaveProperty('requestMetadata')
      expect(losses).toEqual([])
    },
  )

  test('notes are sent as many and as long as OpenAI takes them, each name once', () => {
    const long = 'n'.repeat(70)
    const requestMetadata = { [`${long}1`]: 'a', [`${long}2`]: 'b', '': 'v'.repeat(600), plain: 'c' }
    const { body, losses } = written('bedrock-converse', { requestMetadata }, 'openai-chat')
    expect(body['metadata']).toEqual({ [long.slice(0, 64)]: 'b', _: 'v'.repeat(512), plain: 'c' })
    expect(losses).toEqual(['map /requestMetadata cleaned'])
    const labels = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`l${at}`, 'x']))
    const many = written('gemini-generate', { labels }, 'openai-responses')
    expect(Object.keys(many.body['metadata'] as object)).toHaveLength(16)
    expect(many.losses).toEqual(['drop /labels too_many_entries'])
  })
})

const PAIRS = dialects.flatMap(({ id: client }) =>
  dialects.flatMap(({ id: upstream }) => (client === upstream ? [] : [[client, upstream] as const])),
)

test.each(PAIRS)(
  'what is written of the prompts of %s is taken by the strictest host of %s',
  (client, upstream) => {
    let taken = 0
    for (const { name, bytes: body } of prompts(client)) {
      const prompt = unlessRefused(() => readPrompt(client, body))
      const made = prompt && unlessRefused(() => writePrompt(prompt, upstream, ableTarget(upstream), false))
      if (made === null) continue
      expect({ name, faults: faultsOf(upstream, JSON.parse(text(made.body))) }).toEqual({ name, faults: [] })
      taken += 1
    }
    expect(taken).toBeGreaterThan(5)
  },
)

test('the strictest hosts refuse what is beyond their bounds', () => {
  expect(faultsOf('openai-chat', { temperature: 2.1, stop: ['a', ''] })).toEqual([
    'temperature: 2.1',
    'stop.1: ""',
  ])
  expect(faultsOf('gemini-generate', { contents: [], generationConfig: { seed: 2 ** 31 } })).toHaveLength(2)
  const thinking = { thinking: { type: 'adaptive' }, tool_choice: { type: 'any' } }
  expect(faultsOf('anthropic-messages', thinking)).toEqual(['a tool is forced while the model thinks'])
})
