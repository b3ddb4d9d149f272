// A prompt that goes from its dialect to another and back says the same, up to what was declared lost.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { argumentsObject, compactJson } from '../../src/translate/bytes/json-text.ts'
import { type Dialect, type DialectId, PATH_DIALECTS } from '../../src/translate/dialect.ts'
import { pointerOf, type WishName } from '../../src/translate/fields.ts'
import type { Loss } from '../../src/translate/loss.ts'
import { writePrompt } from '../../src/translate/pair.ts'
import {
  callPart,
  mediaPart,
  type Part,
  Prompt,
  promptTurn,
  resultPart,
  textPart,
  type Tool,
} from '../../src/translate/prompt.ts'
import { objectSchema } from '../../src/translate/schema.ts'
import { ableTarget, dialects } from './harness.ts'

const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter(text => text.trim() === text && text !== '')
const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.constant({ type: 'string' }), {
    maxKeys: 3,
  }),
})
const input = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/),
  fc.oneof(fc.maxSafeInteger(), words, fc.boolean()),
  { maxKeys: 3 },
)

const tool: fc.Arbitrary<Tool> = fc
  .tuple(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), fc.option(words), schema)
  .map(([name, description, parameters]) => ({
    kind: 'function',
    name,
    namespace: null,
    description,
    schema: JSON.stringify(parameters),
    schemaForm: 'json-schema',
    strict: null,
    grammar: null,
    hosted: null,
    cache: null,
    at: '',
    extra: [],
  }))

const image = fc
  .base64String({ minLength: 4, maxLength: 16 })
  .map(data => mediaPart('image', 'image/png', { kind: 'base64', data }, ''))
const said = fc.array(
  fc.oneof(
    words.map(text => textPart(text, '')),
    image,
  ),
  { minLength: 1, maxLength: 3 },
)

/** A user's turn, then the model's, with calls that the next user's turn answers. */
const exchange = fc.record({
  user: said,
  answer: fc.option(words),
  calls: fc.array(fc.record({ input, result: words }), { maxLength: 3 }),
})

interface Draft {
  readonly system: readonly string[]
  readonly exchanges: readonly {
    user: Part[]
    answer: string | null
    calls: { input: object; result: string }[]
  }[]
  readonly last: Part[]
  readonly tools: Tool[]
  readonly outputTokensMax: number
  readonly temperature: number | null
  readonly topP: number | null
  readonly stop: string[]
  readonly choice: 'auto' | 'any' | 'one' | null
  readonly parallelCalls: boolean | null
  readonly stream: boolean
}

const draft: fc.Arbitrary<Draft> = fc.record({
  system: fc.array(words, { maxLength: 2 }),
  exchanges: fc.array(exchange, { maxLength: 3 }),
  last: said,
  tools: fc.uniqueArray(tool, { maxLength: 3, selector: candidate => candidate.name }),
  outputTokensMax: fc.integer({ min: 1, max: 60_000 }),
  temperature: fc.option(fc.integer({ min: 0, max: 10 }).map(tenths => tenths / 10)),
  topP: fc.option(fc.integer({ min: 1, max: 10 }).map(tenths => tenths / 10)),
  stop: fc.array(words, { maxLength: 3 }),
  choice: fc.constantFrom('auto' as const, 'any' as const, 'one' as const, null),
  parallelCalls: fc.constantFrom(true, false, null),
  stream: fc.boolean(),
})

function promptOf(dialect: DialectId, from: Draft): Prompt {
  const prompt = new Prompt(dialect, 'asked-model')
  prompt.instructions = from.system.map(text => promptTurn('system', [textPart(text, '')], ''))
  let calls = 0
  for (const { user, answer, calls: made } of from.exchanges) {
    prompt.turns.push(promptTurn('user', user, ''))
    const results: Part[] = []
    const parts: Part[] = answer === null ? [] : [textPart(answer, '')]
    for (const call of from.tools.length === 0 ? [] : made) {
      const id = `call_${calls++}`
      const name = from.tools[0]!.name
      parts.push(callPart({ id, name, input: JSON.stringify(call.input) }, ''))
      results.push(resultPart({ callId: id, name, parts: [textPart(call.result, '')] }, ''))
    }
    prompt.turns.push(promptTurn('model', parts.length === 0 ? [textPart('ok', '')] : parts, ''))
    if (results.length > 0) prompt.turns.push(promptTurn('user', results, ''))
  }
  prompt.turns.push(promptTurn('user', from.last, ''))
  prompt.tools = from.tools
  prompt.outputTokensMax = from.outputTokensMax
  prompt.temperature = from.temperature
  prompt.topP = from.topP
  prompt.stop = from.stop
  prompt.stream = from.stream
  if (from.tools.length === 0) return prompt
  prompt.parallelCalls = from.parallelCalls
  if (from.choice !== null) {
    const names = from.choice === 'one' ? [from.tools[0]!.name] : []
    prompt.toolChoice = { mode: from.choice, names, forced: from.choice !== 'auto' }
  }
  return prompt
}

/** What a prompt says, without what dialects may legally spell in several ways. */
function meaning(prompt: Prompt): Record<string, unknown> {
  const turns: { role: string; parts: unknown[] }[] = []
  for (const turn of prompt.turns) {
    let last = turns.at(-1)
    if (last === undefined || last.role !== turn.role) {
      last = { role: turn.role, parts: [] }
      turns.push(last)
    }
    last.parts.push(...turn.parts.map(plainPart))
  }
  const parallel = prompt.parallelCalls === false
  return {
    system: prompt.instructions
      .flatMap(turn => turn.parts.map(part => (part.kind === 'text' ? part.text : '')))
      .join('\n\n'),
    turns,
    tools: prompt.tools.map(made => ({
      name: made.name,
      description: made.description,
      schema: objectSchema(made.schema),
    })),
    outputTokensMax: prompt.outputTokensMax,
    temperature: prompt.temperature,
    topP: prompt.topP,
    stop: prompt.stop,
    toolChoice: prompt.toolChoice?.mode === 'auto' ? null : prompt.toolChoice,
    parallelCalls: parallel ? false : null,
    stream: prompt.stream,
  }
}

function plainPart(part: Part): unknown {
  if (part.kind === 'text') return part.text
  if (part.kind === 'media') return [part.media, part.mime, part.source]
  if (part.kind === 'call') return ['call', part.id, part.name, argumentsObject(part.input)]
  if (part.kind === 'result')
    return ['result', part.callId, part.name, part.parts.map(plainPart), part.json && compactJson(part.json)]
  return part
}

/** Wishes that a hop declared lost are not compared. */
function forgiven(losses: readonly Loss[], client: DialectId): Set<string> {
  const wishes: readonly WishName[] = [
    'temperature',
    'topP',
    'stop',
    'toolChoice',
    'parallelCalls',
    'outputTokensMax',
    'tools',
  ]
  return new Set(wishes.filter(wish => losses.some(loss => loss.field.startsWith(pointerOf(client, wish)))))
}

/** Reads a body back; what its dialect says in the path is told beside it. */
function read(dialect: Dialect, body: Uint8Array, stream: boolean): Prompt {
  const prompt = dialect.readPrompt(body)
  if (PATH_DIALECTS.has(dialect.id)) prompt.stream = stream
  return prompt
}

function roundTrip(from: Draft, home: Dialect, away: Dialect): void {
  const start = writePrompt(promptOf(home.id, from), home.id, ableTarget(home.id), false)
  const first = read(home, start.body, from.stream)
  const there = writePrompt(first, away.id, ableTarget(away.id), false)
  const answered = read(away, there.body, from.stream)
  const back = writePrompt(answered, home.id, ableTarget(home.id), false)
  const last = read(home, back.body, from.stream)
  const skipped = forgiven(there.losses, home.id)
  for (const wish of forgiven(back.losses, away.id)) skipped.add(wish)
  const [before, after] = [meaning(first), meaning(last)]
  for (const wish of skipped) {
    delete before[wish]
    delete after[wish]
  }
  // What is compared must not have shrunk to nothing.
  expect(Object.keys(before).length).toBeGreaterThan(4)
  expect(after).toEqual(before)
  const again = writePrompt(first, away.id, ableTarget(away.id), false)
  expect(again.body).toEqual(there.body)
}

for (const home of dialects) {
  for (const away of dialects) {
    describe(`${home.id} to ${away.id} and back`, () => {
      test('a prompt says the same, and the same prompt gives the same bytes', () => {
        fc.assert(
          fc.property(draft, from => roundTrip(from, home, away)),
          { numRuns: 150 },
        )
      })
    })
  }
}
