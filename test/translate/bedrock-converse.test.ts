// Converse beyond its goldens: what the facts of a model change, what the service demands of a body, broken streams.

import { describe, expect, test } from 'vitest'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { bedrockConverse } from '../../src/translate/bedrock-converse/dialect.ts'
import type { DialectId } from '../../src/translate/dialect.ts'
import { writeFrame } from '../../src/translate/framing/event-stream.ts'
import { memberPath } from '../../src/translate/loss.ts'
import { translatePrompt } from '../../src/translate/pair.ts'
import {
  mediaPart,
  type Part,
  Prompt,
  promptTurn,
  reasoningPart,
  resultPart,
  callPart,
  textPart,
} from '../../src/translate/prompt.ts'
import { PromptWriting } from '../../src/translate/prompt-writing.ts'
import type { ModelFacts } from '../../src/translate/target.ts'
import { ableTarget, bytes, collected, contextFor, framed, text, translateReply } from './harness.ts'

interface Written {
  readonly body: ReturnType<typeof JSON.parse>
  readonly losses: readonly string[]
}

function written(prompt: Prompt, facts: Partial<ModelFacts> = {}): Written {
  const writing = new PromptWriting(prompt.dialect, 'bedrock-converse', ableTarget('bedrock-converse', facts))
  const body = bedrockConverse.writePrompt(prompt, writing)
  const losses = writing.losses.items.map(loss =>
    `${loss.action} ${memberPath(loss.field)} ${loss.reason}`.trim(),
  )
  return { body: JSON.parse(text(body)), losses }
}

function asked(client: DialectId, json: object, facts: Partial<ModelFacts> = {}): Written {
  const target = ableTarget('bedrock-converse', facts)
  const made = translatePrompt(client, 'bedrock-converse', bytes(JSON.stringify(json)), target, false)
  const losses = made.losses.map(loss => `${loss.action} ${memberPath(loss.field)} ${loss.reason}`)
  return { body: JSON.parse(text(made.body)), losses }
}

function promptOf(...turns: [role: 'user' | 'model', ...parts: Part[]][]): Prompt {
  const prompt = new Prompt('openai-chat', 'm')
  prompt.turns = turns.map(([role, ...parts], index) => promptTurn(role, parts, `/messages/${index}`))
  return prompt
}

const chat = (more: object): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  ...more,
})
const messages = (more: object): object => ({
  model: 'm',
  max_tokens: 4000,
  messages: [{ role: 'user', content: 'hi' }],
  ...more,
})
const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }
const PNG = mediaPart('image', 'image/png', { kind: 'base64', data: 'iVBORw0KGgo=' }, '/messages/0')

describe('tools of a Converse prompt', () => {
  test('are not sent when none may be called', () => {
    const { body, losses } = asked('openai-chat', chat({ tools: [TOOL], tool_choice: 'none' }))
    expect(body.toolConfig).toBeUndefined()
    expect(losses).toEqual(['emulate tool_choice tools_not_sent'])
  })

  test('stay, with a sentence, when none may be called and the history holds calls', () => {
    const history = [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ]
    const { body, losses } = asked('openai-chat', {
      model: 'm',
      messages: history,
      tools: [TOOL],
      tool_choice: 'none',
    })
    expect(body.toolConfig.toolChoice).toBeUndefined()
    expect(body.toolConfig.tools).toHaveLength(1)
    expect(body.system).toEqual([{ text: 'Answer without calling any tool.' }])
    expect(losses).toEqual(['emulate tool_choice no_calls_by_instruction'])
    const undeclared = asked('openai-chat', { model: 'm', messages: history })
    expect(undeclared.body.toolConfig.tools).toEqual([
      { toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } },
    ])
    expect(undeclared.losses).toEqual(['emulate tools tools_of_history'])
  })

  test('of a subset are the only ones sent', () => {
    const other = { type: 'function', function: { name: 'g' } }
    const allowed = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'g' } }] },
    }
    const { body, losses } = asked('openai-chat', chat({ tools: [TOOL, other], tool_choice: allowed }))
    expect(body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name: 'g' } }], toolChoice: { any: {} } })
    expect(losses).toEqual(['emulate tool_choice subset_of_tools_sent'])
  })

  test('that Claude has built in go into its own fields, and are refused elsewhere', () => {
    const bash = { type: 'bash_20250124', name: 'bash' }
    const json = messages({ tools: [bash] })
    expect(asked('anthropic-messages', json).body.additionalModelRequestFields.tools).toEqual([bash])
    expect(() => asked('anthropic-messages', json, { vendorFields: 'amazon' })).toThrow(
      'tools[0]: this model has no tool of type bash_20250124',
    )
  })

  test('one at a time is Claude`s own switch and is reported elsewhere', () => {
    const json = chat({ tools: [TOOL], parallel_tool_calls: false })
    expect(asked('openai-chat', json).body).toMatchObject({
      additionalModelRequestFields: { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    })
    expect(asked('openai-chat', json, { vendorFields: null }).losses).toEqual([
      'drop parallel_tool_calls no_switch',
    ])
  })

  test('a hosted search becomes a system tool where the model has one', () => {
    const json = chat({ web_search_options: {} })
    const { body } = asked('openai-chat', json, { webSearch: 'nova_grounding' })
    expect(body.toolConfig.tools).toEqual([{ systemTool: { name: 'nova_grounding' } }])
    expect(asked('openai-chat', json).losses).toEqual(['drop web_search_options hosted_tool'])
  })

  test('structured output is a forced tool where the model has no schema for text', () => {
    const format = { type: 'json_schema', json_schema: { name: 'r', schema: { type: 'object' } } }
    const { body, losses } = asked('openai-chat', chat({ response_format: format }), { jsonSchema: false })
    expect(body.toolConfig).toMatchObject({
      tools: [{ toolSpec: { name: 'json_response', inputSchema: { json: { type: 'object' } } } }],
      toolChoice: { tool: { name: 'json_response' } },
    })
    expect(body.outputConfig).toBeUndefined()
    expect(losses).toEqual(['emulate response_format schema_by_tool'])
  })
})

describe('the model`s own fields', () => {
  test('are spelled as its vendor spells them', () => {
    const json = chat({ top_k: 5, reasoning_effort: 'low' })
    expect(asked('openai-chat', json, { vendorFields: 'amazon' }).body.additionalModelRequestFields).toEqual({
      reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' },
      inferenceConfig: { topK: 5 },
    })
    const open = asked('openai-chat', json, { vendorFields: 'openai', reasoning: 'effort' })
    expect(open.body.additionalModelRequestFields).toEqual({ reasoning_effort: 'low' })
    expect(open.losses).toEqual(['drop top_k unsupported'])
    const unknown = asked('openai-chat', json, { vendorFields: null })
    expect(unknown.body.additionalModelRequestFields).toBeUndefined()
    expect(unknown.body.outputConfig).toEqual({ effort: 'low' })
  })

  test('thinking by budget stays below the limit and raises one that nobody set', () => {
    const budget = { reasoning: 'budget' as const, outputTokensMax: null }
    const thinking = { type: 'enabled', budget_tokens: 8000 }
    const tight = asked('anthropic-messages', messages({ thinking }), budget)
    expect(tight.body.additionalModelRequestFields.thinking.budget_tokens).toBe(3999)
    const free = asked('openai-chat', chat({ reasoning_effort: 'medium' }), budget)
    expect(free.body).toMatchObject({
      inferenceConfig: { maxTokens: 12_288 },
      additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 8192 } },
    })
    expect(free.losses).toEqual(['map reasoning_effort effort_as_budget'])
    const small = asked('openai-chat', chat({ reasoning_effort: 'low', max_tokens: 1000 }), budget)
    expect(small.losses).toEqual(['drop reasoning_effort output_limit_too_small'])
  })

  test('thinking by budget is left out of a tool loop whose thoughts are another vendor`s', () => {
    const prompt = promptOf(
      ['user', textPart('hi', '/messages/0')],
      [
        'model',
        reasoningPart(['hm'], { family: 'openai', kind: 'encrypted', id: null, value: 'x' }, '/messages/1'),
        callPart({ id: 'c', name: 'f', input: '{}' }, '/messages/1'),
      ],
      ['user', resultPart({ callId: 'c', name: 'f', parts: [textPart('ok', '/messages/2')] }, '/messages/2')],
    )
    prompt.reasoning = { mode: 'effort', effort: 'high', budgetTokens: null, show: null }
    const { body, losses } = written(prompt, { reasoning: 'budget' })
    expect(body.additionalModelRequestFields).toBeUndefined()
    expect(losses).toContain('drop reasoning_effort tool_loop_without_signature')
    const signed = reasoningPart(
      ['hm'],
      { family: 'bedrock', kind: 'signature', id: null, value: 's' },
      '/messages/1',
    )
    prompt.turns[1] = promptTurn('model', [signed, ...prompt.turns[1]!.parts.slice(1)], '/messages/1')
    const kept = written(prompt, { reasoning: 'budget' }).body
    expect(kept.additionalModelRequestFields.thinking.type).toBe('enabled')
    expect(kept.messages[1].content[0]).toEqual({
      reasoningContent: { reasoningText: { text: 'hm', signature: 's' } },
    })
  })

  test('betas asked for in a header are asked for in the body', () => {
    const target = ableTarget('bedrock-converse')
    const path = { model: 'm', stream: true, betas: ['context-1m-2025-08-07'] }
    const body = bytes(JSON.stringify(messages({})))
    const made = translatePrompt('anthropic-messages', 'bedrock-converse', body, target, true, path)
    expect(JSON.parse(text(made.body)).additionalModelRequestFields).toEqual({
      anthropic_beta: ['context-1m-2025-08-07'],
    })
  })

  test('sampling beyond 1 is clamped, blank stop texts are kept for whom they mean something', () => {
    const json = chat({ temperature: 1.5, stop: ['\n', 'END'] })
    const claude = asked('openai-chat', json)
    expect(claude.body.inferenceConfig).toEqual({ temperature: 1, stopSequences: ['END'] })
    expect(claude.losses).toEqual(['map temperature clamped', 'drop stop blank_stop_text'])
    const other = asked('openai-chat', json, { vendorFields: null, sampling: 'none' })
    expect(other.body.inferenceConfig).toEqual({ stopSequences: ['\n', 'END'] })
  })
})

describe('blocks of a Converse prompt', () => {
  test('documents get plain, different names and a text beside them', () => {
    const pdf = (name: string): Part =>
      mediaPart('document', 'application/pdf', { kind: 'base64', data: 'JVBERi0=' }, '/messages/0', { name })
    const prompt = promptOf(['user', pdf('Über_2026!.pdf'), pdf('report.pdf'), pdf('report.pdf'), pdf('…')])
    const { body, losses } = written(prompt)
    const blocks = body.messages[0].content as { document?: { name: string }; text?: string }[]
    expect(blocks.map(block => block.document?.name ?? block.text)).toEqual([
      'ber 2026',
      'report',
      'report (2)',
      'document',
      'See attached document.',
    ])
    expect(losses).toEqual([
      'emulate messages[0] document_renamed',
      'emulate messages[0] text_beside_document',
    ])
  })

  test('text documents of any type travel as text, others are refused by their formats', () => {
    const doc = (mime: string): Prompt =>
      promptOf([
        'user',
        textPart('see', '/messages/0'),
        mediaPart('document', mime, { kind: 'base64', data: 'YQ==' }, '/messages/0'),
      ])
    expect(written(doc('text/x-python')).body.messages[0].content[1].document.format).toBe('txt')
    expect(() => written(doc('application/zip'))).toThrow(
      'messages[0]: found application/zip, allowed is pdf, csv, doc, docx, xls, xlsx, html, txt, md',
    )
  })

  test('media of the model move behind the results of the next user turn', () => {
    const prompt = promptOf(
      ['user', textPart('draw', '/messages/0')],
      ['model', { ...PNG, at: '/messages/1' }, callPart({ id: 'c', name: 'f', input: '{}' }, '/messages/1')],
      [
        'user',
        resultPart({ callId: 'c', name: 'f', parts: [textPart('ok', '/messages/2')] }, '/messages/2'),
        textPart('bigger', '/messages/2'),
      ],
    )
    const { body, losses } = written(prompt)
    expect(body.messages.map((turn: { content: object[] }) => turn.content.flatMap(Object.keys))).toEqual([
      ['text'],
      ['toolUse'],
      ['toolResult', 'image', 'text'],
    ])
    expect(losses).toContain('emulate messages[1] media_moved_to_user_turn')
  })

  test('a turn of which nothing can be said still stands between its neighbours', () => {
    const prompt = promptOf(
      ['user', textPart('draw', '/messages/0')],
      ['model', { ...PNG, at: '/messages/1' }],
      ['user', textPart('thanks', '/messages/2')],
    )
    const { body, losses } = written(prompt)
    expect(body.messages[1]).toEqual({ role: 'assistant', content: [{ text: '.' }] })
    expect(losses).toContain('emulate messages[1] empty_turn')
  })

  test('images that a result cannot hold follow all results of the turn', () => {
    const result = (callId: string, ...parts: Part[]): Part =>
      resultPart({ callId, name: 'f', parts }, '/messages/2')
    const prompt = promptOf(
      ['user', textPart('go', '/messages/0')],
      [
        'model',
        callPart({ id: 'a', name: 'f', input: '' }, '/messages/1'),
        callPart({ id: 'b', name: 'f', input: 'not json' }, '/messages/1'),
      ],
      ['user', result('a', PNG), result('b', textPart('  ', '/messages/2'))],
    )
    const { body } = written(prompt, { resultImages: false })
    expect(body.messages[1].content[1].toolUse.input).toEqual({ __raw: 'not json' })
    expect(body.messages[2].content).toEqual([
      { toolResult: { toolUseId: 'a', content: [{ text: '[image]' }], status: 'success' } },
      { toolResult: { toolUseId: 'b', content: [{ text: '(no output)' }], status: 'success' } },
      { text: 'Image returned by tool call a:' },
      { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } },
    ])
    const able = written(prompt).body.messages[2].content[0].toolResult.content
    expect(able).toEqual([{ image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } }])
  })

  test('of cache marks the last four are sent, and none to a model without them', () => {
    const marked = (at: number): Part => textPart(`t${at}`, `/messages/0/content/${at}`, 'short')
    const prompt = promptOf(['user', marked(0), marked(1), marked(2), marked(3)])
    prompt.instructions = [promptTurn('system', [textPart('s', '/messages/s', 'long')], '/messages/s')]
    const { body, losses } = written(prompt)
    expect(body.system).toEqual([{ text: 's' }])
    expect(JSON.stringify(body.messages).match(/cachePoint/g)).toHaveLength(4)
    expect(losses).toEqual(['drop messages.s too_many_cache_marks'])
    expect(JSON.stringify(written(prompt, { cacheMarks: false }).body)).not.toContain('cachePoint')
  })

  test('a wish for automatic marks becomes a point after the last turn', () => {
    const { body } = asked(
      'anthropic-messages',
      messages({ cache_control: { type: 'ephemeral', ttl: '1h' } }),
    )
    expect(body.messages[0].content).toEqual([{ text: 'hi' }, { cachePoint: { type: 'default', ttl: '1h' } }])
  })

  test('S3 addresses pass and others are refused', () => {
    const image = (url: string): object =>
      chat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] })
    expect(asked('openai-chat', image('s3://bucket/cat.png')).body.messages[0].content[0]).toEqual({
      image: { format: 'png', source: { s3Location: { uri: 's3://bucket/cat.png' } } },
    })
    expect(() => asked('openai-chat', image('https://example.com/cat.png'))).toThrow(
      'messages[0].content[0]: this model takes media by value or from S3, not by address',
    )
  })

  test('who asks is told as request metadata within the service`s bounds', () => {
    const legal = asked('openai-chat', chat({ user: 'u-1', metadata: { team: 'a"b' } }))
    expect(legal.body.requestMetadata).toEqual({ user_id: 'u-1', team: 'a_b' })
    expect(legal.losses).toEqual(['map metadata cleaned'])
    const id = '{"device":"x"}'
    const odd = asked('anthropic-messages', messages({ metadata: { user_id: id } }))
    expect(odd.body.requestMetadata.user_id).toMatch(/^user_[0-9a-f]{24}$/)
  })
})

describe('reading a Converse prompt', () => {
  const read = (json: object): Prompt => bedrockConverse.readPrompt(bytes(JSON.stringify(json)))
  const user = (...content: object[]): object => ({ messages: [{ role: 'user', content }] })

  test('names what is wrong by its path', () => {
    const cases: readonly [object, string][] = [
      [{}, 'messages: missing, required is an array'],
      [{ messages: [] }, 'messages: found an empty array, allowed is one or more'],
      [
        { messages: [{ role: 'tool', content: [] }] },
        'messages[0].role: found "tool", allowed is user, assistant or system',
      ],
      [
        { messages: [{ role: 'user', content: 'hi' }] },
        'messages[0].content: found "hi", allowed is an array',
      ],
      [user({ text: 'a', image: {} }), 'messages[0].content[0]: found 2 members, allowed is exactly one'],
      [user({ text: 7 }), 'messages[0].content[0].text: found 7, allowed is a string'],
      [
        user({ image: { format: 'png', source: {} } }),
        'messages[0].content[0].image.source.bytes: missing, required is a string',
      ],
      [
        { ...user({ text: 'a' }), inferenceConfig: { maxTokens: 0 } },
        'inferenceConfig.maxTokens: found 0, allowed is 1 or more',
      ],
      [
        { ...user({ text: 'a' }), toolConfig: { toolChoice: { none: {} } } },
        'toolConfig.toolChoice: found an object, allowed is an object with auto, any or tool',
      ],
      [
        { ...user({ text: 'a' }), toolConfig: { tools: [{ toolSpec: { name: 'f' } }] } },
        'toolConfig.tools[0].toolSpec.inputSchema: missing, required is an object',
      ],
    ]
    for (const [json, message] of cases) expect(() => read(json)).toThrow(message)
  })

  test('leaves the model and streaming to the path', () => {
    const prompt = read(user({ text: 'hi' }))
    expect([prompt.model, prompt.stream, prompt.wantUsage]).toEqual(['', false, true])
    const path = { model: 'us.example-model-v1:0', stream: true }
    const body = bytes(JSON.stringify(user({ text: 'hi' })))
    const made = translatePrompt(
      'bedrock-converse',
      'openai-chat',
      body,
      ableTarget('openai-chat'),
      true,
      path,
    )
    expect(JSON.parse(text(made.body))).toMatchObject({ model: 'target-model', stream: true })
    expect(made.context.modelShown).toBe('us.example-model-v1:0')
  })

  test('opens envelopes of other vendors where signatures stand', () => {
    const shown = translateReply('bedrock-converse', 'anthropic-messages', false, [
      bytes(
        '{"id":"m","type":"message","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"}],"stop_reason":"end_turn"}',
      ),
    ])
    const content = JSON.parse(text(shown.bytes)).output.message.content
    const prompt = bedrockConverse.readPrompt(
      bytes(JSON.stringify({ messages: [{ role: 'assistant', content }] })),
    )
    expect(prompt.turns[0]!.parts.map(part => (part.kind === 'reasoning' ? part.opaque : null))).toEqual([
      { family: 'anthropic', kind: 'signature', id: null, value: 'c2ln' },
      { family: 'anthropic', kind: 'redacted', id: null, value: 'cmVk' },
    ])
  })
})

describe('a Converse stream', () => {
  const START = 'event messageStart {"role":"assistant"}\n'
  const TEXT = 'event contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"a"}}\n'
  const STOP = 'event contentBlockStop {"contentBlockIndex":0}\n'
  const END = 'event messageStop {"stopReason":"end_turn"}\n'
  const turnOf = (lines: string) => collected(bedrockConverse, true, [framed(lines)])

  test('that ends after messageStop is complete without usage, and not before', () => {
    const turn = turnOf(START + TEXT + STOP + END)
    expect([turn.ended, turn.usageTold, turn.choice(0).finish?.reason]).toEqual([true, null, 'stop'])
    for (const lines of ['', START, START + TEXT, START + TEXT + STOP])
      expect(turnOf(lines).error?.kind).toBe('incomplete_stream')
    const torn = framed(`${START}${TEXT}${STOP}${END}event metadata {"usage":{}}\n`)
    expect(collected(bedrockConverse, true, [torn.subarray(0, torn.length - 1)]).error?.kind).toBe(
      'incomplete_stream',
    )
  })

  test('out of order fails the turn and says where', () => {
    const cases: readonly [string, string][] = [
      [TEXT, 'contentBlockDelta where the stream cannot have it'],
      [START + START, 'messageStart where the stream cannot have it'],
      [START + TEXT + END, 'messageStop where the stream cannot have it'],
      [START + TEXT + TEXT.replace('0', '1'), 'contentBlockDelta of a block that is not open'],
      [START + TEXT + STOP.replace('0', '1'), 'contentBlockStop of a block that is not open'],
      [`${START}event metadata {}\n`, 'metadata where the stream cannot have it'],
      [START + TEXT + STOP + END + END, 'messageStop where the stream cannot have it'],
      [`${START}event contentBlockDelta [1]\n`, 'an event is not a JSON object'],
      [
        `${START}event contentBlockDelta {"contentBlockIndex":0,"delta":{"toolUse":{"input":"{"}}}\n`,
        'input of a call that has not begun',
      ],
    ]
    for (const [lines, message] of cases) {
      const { error } = turnOf(lines)
      expect([error?.kind, error?.message]).toEqual([
        'upstream',
        `the upstream's reply is broken: ${message}`,
      ])
    }
  })

  test('with a bent frame fails there and keeps what came before', () => {
    const stream = framed(START + TEXT + STOP + END)
    stream[stream.length - 3]! ^= 1
    const turn = collected(bedrockConverse, true, [stream])
    expect(turn.error?.message).toBe("the upstream's reply is broken: event stream message checksum")
    expect(turn.choice(0).textOf('text')).toBe('a')
  })

  test('exceptions keep their kind on the way to any client', () => {
    const kinds: readonly [string, string, string][] = [
      ['throttlingException', '{"message":"slow down"}', 'rate_limit'],
      ['throttlingException', '{"message":"Too many tokens per day"}', 'quota'],
      ['validationException', '{"message":"Input is too long for requested model."}', 'context_length'],
      ['validationException', '{"message":"no"}', 'invalid'],
      ['serviceUnavailableException', '{"message":"no"}', 'overloaded'],
      ['modelStreamErrorException', '{"message":"no","originalStatusCode":529}', 'overloaded'],
      ['modelStreamErrorException', '{"originalMessage":"no"}', 'upstream'],
      ['modelTimeoutException', '{"message":"no"}', 'timeout'],
      ['internalServerException', '{"message":"no"}', 'upstream'],
      ['novelException', 'no json', 'upstream'],
    ]
    for (const [name, json, kind] of kinds) {
      const stream = framed(`${START}${TEXT}exception ${name} ${json}\n`)
      expect(collected(bedrockConverse, true, [stream]).error?.kind, `${name} ${json}`).toBe(kind)
      const shown = translateReply('bedrock-converse', 'bedrock-converse', true, [stream])
      const again = collected(bedrockConverse, true, [shown.bytes])
      // A stream has no exception of its own for time.
      expect(again.error?.kind, `${name} again`).toBe(kind === 'timeout' ? 'upstream' : kind)
    }
  })

  test('an unmodeled error frame fails the turn with its code', () => {
    const codec = new EventStreamCodec(text, bytes)
    const frame = codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'error' },
        ':error-code': { type: 'string', value: 'InternalError' },
        ':error-message': { type: 'string', value: 'it broke' },
      },
      body: new Uint8Array(0),
    })
    const { error } = collected(bedrockConverse, true, [framed(START), frame, frame])
    expect([error?.kind, error?.code, error?.message]).toEqual(['upstream', 'InternalError', 'it broke'])
  })

  test('nothing that says success is written before the upstream said so', () => {
    const out = new ByteOut()
    const writer = bedrockConverse.streamWriter(out, contextFor('bedrock-converse', 'openai-chat'))
    writer.start({ id: '', model: '', createdS: null, tier: null, usage: null })
    writer.partStart(0, 0, 'text')
    writer.text(0, 0, 'a')
    writer.partEnd(0, 0, true)
    writer.finish(0, { reason: 'stop', stopText: null, detail: null, word: 'stop' })
    expect(text(out.take())).not.toMatch(/messageStop|metadata/)
  })

  test('the stop text is shown to a client that asked for it', () => {
    const context = contextFor('bedrock-converse', 'anthropic-messages')
    context.echo = [{ name: 'additionalModelResponseFieldPaths', json: '["/stop_sequence"]' }]
    const reply =
      '{"id":"m","type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"stop_sequence","stop_sequence":"END"}'
    const shown = (echo: typeof context.echo): string => {
      context.echo = echo
      return text(
        translateReply('bedrock-converse', 'anthropic-messages', false, [bytes(reply)], context).bytes,
      )
    }
    expect(shown(context.echo)).toContain('"additionalModelResponseFields":{"stop_sequence":"END"}')
    expect(shown([])).not.toContain('additionalModelResponseFields')
  })

  test('a frame cut by a limit of arguments stays as far as it came', () => {
    const lines =
      `${START}event contentBlockStart {"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}\n` +
      `event contentBlockDelta {"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\\"a\\":"}}}\n${STOP}` +
      'event messageStop {"stopReason":"max_tokens"}\n'
    const { bytes: shown } = translateReply('openai-chat', 'bedrock-converse', true, [framed(lines)])
    expect(text(shown)).toContain('"arguments":"{\\"a\\":"')
    expect(text(shown)).toContain('"finish_reason":"length"')
  })
})

describe('a whole Converse reply', () => {
  test('that is an error in disguise fails the turn', () => {
    const failed = (json: string) => collected(bedrockConverse, false, [bytes(json)]).error
    expect(failed('{"__type":"com.amazon#ThrottlingException","message":"slow"}')?.kind).toBe('rate_limit')
    expect(failed('{"output":{}}')?.message).toContain('content is not a list')
    expect(failed('')?.kind).toBe('incomplete_stream')
    expect(failed('[]')?.kind).toBe('upstream')
  })

  test('that fails is written with the class its clients read', () => {
    const reply = '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    const { bytes: shown } = translateReply('bedrock-converse', 'anthropic-messages', false, [bytes(reply)])
    expect(JSON.parse(text(shown))).toEqual({ __type: 'ServiceUnavailableException', message: 'busy' })
  })

  test('a call cut short in a stream comes back from a whole reply as it was', () => {
    const out = new ByteOut()
    writeFrame(out, 'event', 'messageStart', '{"role":"assistant"}')
    const use = '{"toolUse":{"toolUseId":"t","name":"f"}}'
    writeFrame(out, 'event', 'contentBlockStart', `{"contentBlockIndex":0,"start":${use}}`)
    const delta = JSON.stringify({ contentBlockIndex: 0, delta: { toolUse: { input: '{"a":' } } })
    writeFrame(out, 'event', 'contentBlockDelta', delta)
    writeFrame(out, 'event', 'contentBlockStop', '{"contentBlockIndex":0}')
    writeFrame(out, 'event', 'messageStop', '{"stopReason":"max_tokens"}')
    const whole = new ByteOut()
    const context = contextFor('bedrock-converse', 'bedrock-converse')
    const reader = bedrockConverse.streamReader(bedrockConverse.replyWriter(whole, context), context)
    reader.write(out.take())
    reader.end()
    expect(collected(bedrockConverse, false, [whole.take()]).choice(0).parts[0]?.input).toBe('{"a":')
  })
})
