// The official AWS client judges Converse: it decodes what we write, and we read what it sends. Its transport is
// replaced by a function, so that nothing but its serializers is at work.

import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  type ConverseCommandOutput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from '@aws-sdk/client-bedrock-runtime'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { argumentsObject } from '../../src/translate/bytes/json-text.ts'
import { bedrockConverse } from '../../src/translate/bedrock-converse/dialect.ts'
import type { TurnCollector } from '../../src/translate/collect.ts'
import type { ErrorKind } from '../../src/translate/errors.ts'
import { type Prompt, writeError } from '../../src/translate/index.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { collected, dialects, replies, streams, text, translateReply } from './harness.ts'

interface Sent {
  path: string
  body: Uint8Array
}

/** A client whose calls are answered by the given bytes. */
function clientFor(
  answer: Uint8Array,
  status = 200,
  headers: Record<string, string> = {},
  sent: Sent = { path: '', body: answer },
): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: 'eu-north-1',
    token: { token: 'key' },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { path: string; body: Uint8Array | string }) => {
        sent.path = request.path
        sent.body = typeof request.body === 'string' ? new TextEncoder().encode(request.body) : request.body
        const type = { 'content-type': 'application/json', ...headers }
        return { response: { statusCode: status, headers: type, body: Readable.from([Buffer.from(answer)]) } }
      },
    } as never,
  })
}

const PROMPT = {
  modelId: 'us.example-model-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'x' }] }],
}

/** What a client can tell about a turn. */
interface Seen {
  readonly text: string
  readonly reasoning: string
  readonly opaque: string[]
  readonly calls: [id: string, name: string, input: string][]
  readonly cited: (string | undefined)[]
  stop: string
  usage: unknown
}

const nothing = (): Seen => ({
  text: '',
  reasoning: '',
  opaque: [],
  calls: [],
  cited: [],
  stop: '',
  usage: null,
})

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const usageOf = (usage: NonNullable<ConverseCommandOutput['usage']>): unknown => [
  usage.inputTokens,
  usage.outputTokens,
  usage.cacheReadInputTokens ?? 0,
  usage.cacheWriteInputTokens ?? 0,
]

/** The accumulator that clients of this API write themselves. */
async function accumulated(stream: AsyncIterable<ConverseStreamOutput>): Promise<Seen> {
  const seen = { ...nothing() }
  let open = ''
  for await (const event of stream) {
    const use = event.contentBlockStart?.start?.toolUse
    if (use !== undefined && use.type === undefined) seen.calls.push([use.toolUseId!, use.name!, ''])
    if (event.contentBlockStart !== undefined) open = use?.type === undefined ? 'call' : 'hosted'
    if (event.contentBlockStop !== undefined) open = ''
    const delta = event.contentBlockDelta?.delta
    seen.text += delta?.text ?? ''
    seen.reasoning += delta?.reasoningContent?.text ?? ''
    if (delta?.reasoningContent?.signature !== undefined) seen.opaque.push(delta.reasoningContent.signature)
    if (delta?.reasoningContent?.redactedContent !== undefined)
      seen.opaque.push(base64(delta.reasoningContent.redactedContent))
    if (delta?.citation !== undefined) seen.cited.push(delta.citation.title)
    if (delta?.toolUse !== undefined && open === 'call') seen.calls.at(-1)![2] += delta.toolUse.input
    if (event.messageStop !== undefined) seen.stop = event.messageStop.stopReason!
    if (event.metadata !== undefined) seen.usage = usageOf(event.metadata.usage!)
  }
  return seen
}

/** The client keeps numbers that the host cannot hold in forms of its own. */
function plainNumber(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  const { type, string } = Object(value) as { type?: unknown; string?: unknown }
  return type === 'bigDecimal' ? Number(string) : value
}

/** What our own reader sees in the same bytes; the goldens hold it against the vendors' documents. */
function expected(turn: TurnCollector): Seen {
  const { parts, finish } = turn.choice(0)
  const usage = turn.usageTold!
  const { cacheReadTokens: read, cacheWriteTokens: write } = usage
  return {
    text: parts.map(part => (part.kind === 'text' ? part.text : '')).join(''),
    reasoning: parts.map(part => (part.kind === 'reasoning' ? part.text : '')).join(''),
    opaque: parts.flatMap(part => (part.opaque === null ? [] : [part.opaque.value])),
    calls: parts.flatMap(part => (part.call === null ? [] : [[part.call.id, part.call.name, part.input]])),
    cited: parts.flatMap(part => part.citations.map(citation => citation.title ?? undefined)),
    stop: finish!.word!,
    usage: [usage.inputTokens - read - write, usage.outputTokens, read, write],
  }
}

for (const upstream of dialects) {
  describe(`the AWS client, of what ${upstream.id} said`, () => {
    test.each(streams(upstream.id))('stream $name', async fixture => {
      const { bytes, facts } = translateReply('bedrock-converse', upstream.id, true, [fixture.bytes])
      const turn = collected(bedrockConverse, true, [bytes])
      const headers = { 'content-type': 'application/vnd.amazon.eventstream' }
      const sending = clientFor(bytes, 200, headers).send(new ConverseStreamCommand(PROMPT))
      const reading = sending.then(reply => accumulated(reply.stream!))
      if (facts.state === 'complete') expect(await reading).toEqual(expected(turn))
      else await expect(reading).rejects.toThrow(turn.error!.message)
    })

    test.each(replies(upstream.id))('reply $name', async fixture => {
      const { bytes, facts } = translateReply('bedrock-converse', upstream.id, false, [fixture.bytes])
      if (facts.state === 'failed') {
        const { __type: name, message } = JSON.parse(text(bytes))
        const call = clientFor(bytes, 424).send(new ConverseCommand(PROMPT))
        await expect(call).rejects.toMatchObject({ name, message })
        return
      }
      const turn = collected(bedrockConverse, false, [bytes])
      const reply = await clientFor(bytes).send(new ConverseCommand(PROMPT))
      expect(reply.metrics?.latencyMs).toBeTypeOf('number')
      const seen = { ...nothing() }
      for (const block of reply.output!.message!.content!) {
        seen.text += block.text ?? block.citationsContent?.content?.map(part => part.text).join('') ?? ''
        seen.reasoning += block.reasoningContent?.reasoningText?.text ?? ''
        const signature = block.reasoningContent?.reasoningText?.signature
        if (signature !== undefined) seen.opaque.push(signature)
        const redacted = block.reasoningContent?.redactedContent
        if (redacted !== undefined) seen.opaque.push(base64(redacted))
        seen.cited.push(...(block.citationsContent?.citations ?? []).map(citation => citation.title))
        const use = block.toolUse
        if (use !== undefined && use.type === undefined)
          seen.calls.push([use.toolUseId!, use.name!, JSON.stringify(use.input, plainNumber)])
      }
      seen.stop = reply.stopReason!
      seen.usage = usageOf(reply.usage!)
      const wanted = expected(turn)
      // The client parses inputs, which loses the spelling of numbers; ours is in the goldens.
      for (const call of wanted.calls) call[2] = JSON.stringify(JSON.parse(argumentsObject(call[2])))
      expect(seen).toEqual(wanted)
    })
  })
}

test('the AWS client makes the class of every kind of error', async () => {
  const classes: Partial<Record<ErrorKind, string>> = {
    invalid: 'ValidationException',
    rate_limit: 'ThrottlingException',
    overloaded: 'ServiceUnavailableException',
    not_found: 'ResourceNotFoundException',
    permission: 'AccessDeniedException',
    timeout: 'ModelTimeoutException',
    upstream: 'ModelErrorException',
    quota: 'ServiceQuotaExceededException',
    internal: 'InternalServerException',
  }
  for (const [kind, name] of Object.entries(classes)) {
    const error = writeError('bedrock-converse', new TranslateError(kind as ErrorKind, `about ${kind}`).reply)
    const headers: Record<string, string> = {}
    for (let at = 0; at < error.headers.length; at += 2) headers[error.headers[at]!] = error.headers[at + 1]!
    const client = clientFor(error.body, error.status, headers)
    const call = client.send(new ConverseCommand(PROMPT))
    await expect(call).rejects.toMatchObject({ name, message: `about ${kind}` })
  }
})

test('we read what the AWS client sends, bytes and unions and all', async () => {
  const sent: Sent = { path: '', body: new Uint8Array(0) }
  const image = { format: 'png' as const, source: { bytes: Uint8Array.of(1, 2, 3) } }
  const input: ConverseCommandInput = {
    modelId: 'arn:aws:bedrock:us-east-1:42:inference-profile/us.m-v1:0',
    system: [{ text: 'be brief' }, { cachePoint: { type: 'default' } }],
    messages: [
      { role: 'user', content: [{ text: 'look' }, { image }] },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
          { reasoningContent: { redactedContent: Uint8Array.of(9, 9) } },
          { toolUse: { toolUseId: 't', name: 'f', input: { a: [1, null, 'x'] } } },
        ],
      },
      {
        role: 'user',
        content: [{ toolResult: { toolUseId: 't', content: [{ json: { ok: true } }], status: 'error' } }],
      },
    ],
    inferenceConfig: { maxTokens: 5, temperature: 0.5, topP: 0.25, stopSequences: ['END'] },
    toolConfig: {
      tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } }, strict: true } }],
      toolChoice: { any: {} },
    },
    additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } },
    requestMetadata: { team: 'a' },
    serviceTier: { type: 'flex' },
  }
  const answer = new TextEncoder().encode(
    '{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}',
  )
  await clientFor(answer, 200, {}, sent).send(new ConverseCommand(input))
  expect(sent.path).toBe(
    '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A42%3Ainference-profile%2Fus.m-v1%3A0/converse',
  )
  const prompt: Prompt = bedrockConverse.readPrompt(sent.body)
  expect(prompt).toMatchObject({
    outputTokensMax: 5,
    temperature: 0.5,
    topP: 0.25,
    stop: ['END'],
    toolChoice: { mode: 'any' },
    tools: [{ name: 'f', schema: '{"type":"object"}', strict: true }],
    reasoning: { mode: 'budget', budgetTokens: 1024 },
    metadata: [{ name: 'team', value: 'a' }],
    tier: 'flex',
    extra: [],
  })
  expect(prompt.instructions[0]!.parts).toMatchObject([{ text: 'be brief', cache: 'short' }])
  expect(prompt.turns.flatMap(turn => turn.parts)).toMatchObject([
    { kind: 'text', text: 'look' },
    { kind: 'media', mime: 'image/png', source: { kind: 'base64', data: 'AQID' } },
    { kind: 'reasoning', sections: ['hm'], opaque: { family: 'bedrock', kind: 'signature', value: 's' } },
    { kind: 'reasoning', sections: [], opaque: { kind: 'redacted', value: 'CQk=' } },
    { kind: 'call', id: 't', name: 'f', input: '{"a":[1,null,"x"]}' },
    { kind: 'result', callId: 't', name: 'f', json: '{"ok":true}', failed: true },
  ])
})
