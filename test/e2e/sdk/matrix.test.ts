// Every official client against every upstream dialect, through the running gateway. The judge of a reply is the
// upstream's own official client: it reads the same recorded reply straight from the upstream, and the client behind
// the gateway must come to the same text, calls, finish reason and usage.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialectId } from '../../../src/translate/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream/index.ts'
import { type GatewayProcess, startGateway } from '../../support/gateway.ts'
import { replies, streams } from '../../translate/harness.ts'
import type { Answer, Client, Question } from './answer.ts'
import { anthropicMessages } from './anthropic.ts'
import { bedrockConverse } from './bedrock.ts'
import { geminiGenerate } from './gemini.ts'
import { openaiChat, openaiResponses } from './openai.ts'

const CLIENTS: Readonly<Record<DialectId, Client>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  'gemini-generate': geminiGenerate,
}

/** Models by the dialect of the upstream that serves them. */
const MODELS: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'chatbox/gpt-4o',
  'openai-responses': 'respbox/gpt-5',
  'anthropic-messages': 'claudebox/claude-sonnet-4-5',
  'bedrock-converse': 'amazon_bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0',
  'gemini-generate': 'gembox/gemini-2.5-flash',
}

const STREAM_TYPES: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'text/event-stream',
  'openai-responses': 'text/event-stream',
  'anthropic-messages': 'text/event-stream',
  'bedrock-converse': 'application/vnd.amazon.eventstream',
  'gemini-generate': 'text/event-stream',
}

const DIALECTS = Object.keys(CLIENTS) as DialectId[]

const WEATHER = {
  name: 'get_weather',
  description: 'Tells the weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
}

/** One red pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

let upstream: FakeUpstream
let gateway: GatewayProcess

beforeAll(async () => {
  upstream = await startFakeUpstream()
  const { origin } = upstream
  const entry = (model: string, more: string): string => `  - { model: "${model}", access_key: key, ${more} }`
  gateway = await startGateway({
    yaml: [
      'model_providers:',
      entry(
        MODELS['openai-chat'],
        `provider_interface: openai, base_url: "${origin}/v1", upstream_api: openai-chat`,
      ),
      entry(
        MODELS['openai-responses'],
        `provider_interface: openai, base_url: "${origin}/v1", upstream_api: openai-responses`,
      ),
      entry(
        MODELS['anthropic-messages'],
        `provider_interface: anthropic, base_url: "${origin}", upstream_api: anthropic-messages`,
      ),
      entry(MODELS['bedrock-converse'], `base_url: "${origin}"`),
      entry(
        MODELS['gemini-generate'],
        `provider_interface: gemini, base_url: "${origin}/v1beta", upstream_api: gemini-generate`,
      ),
    ].join('\n'),
  })
})

afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

/** The next request to the upstream is answered with a recorded reply. */
function play(dialect: DialectId, name: string, stream: boolean): void {
  const found = (stream ? streams(dialect) : replies(dialect)).find(fixture => fixture.name === name)
  if (found === undefined) throw new Error(`no ${stream ? 'stream' : 'reply'} ${dialect}/${name}`)
  upstream.script(
    stream
      ? { headers: ['content-type', STREAM_TYPES[dialect]], frames: [found.bytes] }
      : { headers: ['content-type', 'application/json'], body: found.bytes },
  )
}

/** What is recorded in every dialect, under the name its fixture has there. */
const RECORDED: readonly (readonly [string, Readonly<Record<DialectId, string | null>>])[] = [
  [
    'text',
    {
      'openai-chat': 'text',
      'openai-responses': 'text',
      'anthropic-messages': 'text',
      'bedrock-converse': 'text',
      'gemini-generate': 'text',
    },
  ],
  [
    'tool calls',
    {
      'openai-chat': 'tools',
      'openai-responses': 'tools',
      'anthropic-messages': 'tools',
      'bedrock-converse': 'tools',
      'gemini-generate': 'tools',
    },
  ],
  [
    'reasoning',
    {
      'openai-chat': 'reasoning',
      'openai-responses': 'reasoning',
      'anthropic-messages': 'redacted',
      'bedrock-converse': 'reasoning',
      'gemini-generate': 'thinking',
    },
  ],
  [
    'a length stop',
    {
      'openai-chat': 'length',
      'openai-responses': 'length',
      'anthropic-messages': 'length',
      'bedrock-converse': 'length',
      'gemini-generate': 'length',
    },
  ],
  [
    'a refusal',
    {
      'openai-chat': 'refusal',
      'openai-responses': 'refusal',
      'anthropic-messages': 'refusal',
      'bedrock-converse': 'guardrail',
      'gemini-generate': 'filter',
    },
  ],
]

/**
 * What must be the same for every client. How much of reasoning is shown depends on its dialect; the words that
 * explain a refusal stand where not every client looks; arguments cut by a limit are no value; and one client reads
 * long integers as bigints, the others as doubles.
 */
function comparable(answer: Answer) {
  const { text, calls, finish, usage } = answer
  return {
    text: finish === 'declined' ? '' : text,
    calls: finish === 'length' ? calls.map(call => call.name) : calls.map(asDoubles),
    finish,
    usage,
  }
}

/**
 * generateContent has only plain text for a refusal in words, and no finish reason; and a call whose arguments a
 * limit cut off cannot be said in it, because there arguments are an object.
 */
function expected(client: DialectId, server: DialectId, judge: Answer): ReturnType<typeof comparable> {
  const same = comparable(judge)
  if (client !== 'gemini-generate') return same
  if (judge.finish === 'length') return { ...same, calls: [] }
  const inWords = judge.finish === 'declined' && (server === 'openai-chat' || server === 'openai-responses')
  return inWords ? { ...same, text: judge.text, finish: 'stop' } : same
}

function asDoubles(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? Number(member) : member)),
  )
}

for (const client of DIALECTS) {
  for (const server of DIALECTS) {
    describe(`${CLIENTS[client].name} on an upstream of ${server}`, () => {
      for (const [what, names] of RECORDED) {
        const name = names[server]
        if (name === null) continue
        for (const stream of [false, true]) {
          test(`reads ${what}, ${stream ? 'streamed' : 'whole'}, as the upstream's own client does`, async () => {
            const question: Question = { model: MODELS[server], text: 'Hello', stream, tools: [WEATHER] }
            play(server, name, stream)
            const judge = await CLIENTS[server].ask(upstream.origin, { ...question, model: 'some-model' })
            play(server, name, stream)
            const answer = await CLIENTS[client].ask(gateway.origin, question)
            expect(comparable(answer)).toEqual(expected(client, server, judge))
          })
        }
      }

      for (const stream of [false, true]) {
        const how = stream ? 'streamed' : 'whole'
        test(`calls one tool and continues with its result, ${how}`, async () => {
          const question: Question = {
            model: MODELS[server],
            text: 'use get_weather for Paris',
            stream,
            tools: [WEATHER],
          }
          const called = await CLIENTS[client].ask(gateway.origin, question)
          expect(called.calls).toEqual([
            { name: 'get_weather', input: { city: 'use get_weather for Paris', days: 7 } },
          ])
          expect(called.finish).toBe('calls')
          const result = {
            id: 'call_abc123xyz',
            name: 'get_weather',
            input: { city: 'Paris', days: 7 },
            output: 'sunny all week',
          }
          const continued = await CLIENTS[client].ask(gateway.origin, { ...question, result })
          expect(continued.text).toContain('sunny all week')
          expect(continued.finish).toBe('stop')
        })

        // The driver of the AWS client asks for no schema.
        if (client !== 'bedrock-converse') {
          test(`asks for an answer by a schema, ${how}`, async () => {
            const schema = { ...WEATHER.parameters, title: 'Forecast' }
            const question: Question = { model: MODELS[server], text: 'Oslo', stream, schema }
            const answer = await CLIENTS[client].ask(gateway.origin, question)
            // Converse takes a schema as text inside its JSON.
            expect(upstream.requests.at(-1)!.text()).toMatch(/\\?"city\\?"/)
            expect(answer.finish).toBe('stop')
            expect(answer.text).toContain('Oslo')
          })
        }

        test(`sends system text and an image, ${how}`, async () => {
          const answer = await CLIENTS[client].ask(gateway.origin, {
            model: MODELS[server],
            text: 'What colour is this?',
            stream,
            system: 'Answer with one word.',
            image: PIXEL,
          })
          expect(answer.text).toContain('What colour is this?')
          const sent = upstream.requests.at(-1)!.text()
          expect(sent).toContain('Answer with one word.')
          expect(sent).toContain(PIXEL)
        })
      }

      test('is told of an error status in its own classes, with the upstream’s message', async () => {
        upstream.behave({ status: 429 })
        const failure = await CLIENTS[client]
          .ask(gateway.origin, { model: MODELS[server], text: 'Hello', stream: false })
          .catch((thrown: unknown) => thrown)
        upstream.behave({})
        expect(statusOf(failure)).toBe(429)
      })

      test('throws when the stream breaks in the middle', async () => {
        upstream.behave({ frames: 20, cutAfterBytes: 1_200 })
        const failure = await CLIENTS[client]
          .ask(gateway.origin, { model: MODELS[server], text: 'Hello', stream: true })
          .then(
            answer => answer,
            (thrown: unknown) => thrown,
          )
        upstream.behave({})
        expect(failure).toBeInstanceOf(Error)
      })
    })
  }
}

function statusOf(failure: unknown): number | undefined {
  const { status, $metadata } = failure as { status?: number; $metadata?: { httpStatusCode?: number } }
  return status ?? $metadata?.httpStatusCode
}
