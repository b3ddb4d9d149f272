// Known faults of gateways, in the prompts of Chat, Responses and Messages clients: each has a test that says what is
// right. Their numbers are in `gaps.ts`.

import { describe, expect, test } from 'vitest'
import { readPrompt } from '../../src/translate/pair.ts'
import { bytes } from '../translate/harness.ts'
import { ask, askWishing, type Loose } from './drive.ts'
import { asking, loop, message, PNG, SCHEMA, text, tools, wishing } from './features/bodies.ts'

const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const GEMINI = 'gemini-generate'

const hi = { role: 'user', content: 'hi' }
const chat = (messages: readonly object[], more: object = {}) => ({ model: 'm', messages, ...more })

describe('a Chat prompt', () => {
  test('reaches Claude natively, with the members its compatibility endpoint ignores', () => {
    const { body } = askWishing(CHAT, MESSAGES, {
      reasoning_effort: 'low',
      user: 'u-1',
      response_format: { type: 'json_schema', json_schema: { name: 'w', schema: SCHEMA, strict: true } },
      ...tools(CHAT, ['weather'], {}, { strict: true }),
    })
    expect(body.output_config.effort).toBe('low')
    expect(body.output_config.format.schema).toEqual(SCHEMA)
    expect(body.metadata).toEqual({ user_id: 'u-1' })
    expect(body.tools[0].strict).toBe(true)
  })

  test('and a Messages prompt reach Responses, with tools and reasoning', () => {
    for (const client of [CHAT, MESSAGES] as const) {
      const more = client === CHAT ? { reasoning_effort: 'high' } : { output_config: { effort: 'high' } }
      const { body } = ask(client, RESPONSES, loop(client, { more }))
      expect(body.reasoning.effort).toBe('high')
      expect(body.input.map((item: Loose) => item.type)).toEqual([
        'message',
        'function_call',
        'function_call_output',
      ])
      expect(body.include).toEqual(client === CHAT ? undefined : ['reasoning.encrypted_content'])
    }
  })

  test('may give its stop text as a string', () => {
    expect(askWishing(CHAT, MESSAGES, { stop: 'END' }).body.stop_sequences).toEqual(['END'])
    expect(askWishing(CHAT, MESSAGES, { stop: null }).body.stop_sequences).toBeUndefined()
  })

  test('may hold sound, files and refusals', () => {
    const parts = [
      { type: 'input_audio', input_audio: { format: 'wav', data: 'UklGRg==' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
    ]
    const { body } = ask(CHAT, GEMINI, asking(CHAT, parts))
    const types = body.contents[0].parts.map((part: Loose) => part.inlineData?.mimeType)
    expect(types.filter(Boolean)).toEqual(['audio/wav', 'application/pdf'])
    const refused = ask(CHAT, MESSAGES, chat([hi, { role: 'assistant', content: null, refusal: 'No.' }, hi]))
    expect(refused.raw).toContain('No.')
  })

  test('may use the forms that tools replaced', () => {
    const { body } = ask(
      CHAT,
      MESSAGES,
      chat(
        [
          hi,
          { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
          { role: 'function', name: 'f', content: 'done' },
        ],
        { functions: [{ name: 'f', parameters: SCHEMA }], function_call: 'auto' },
      ),
    )
    expect(body.tools[0]).toMatchObject({ name: 'f', input_schema: SCHEMA })
    const [, made, result] = body.messages
    expect(made.content[0]).toMatchObject({ type: 'tool_use', name: 'f', input: { a: 1 } })
    expect(result.content[0].tool_use_id).toBe(made.content[0].id)
  })

  test('may have functions without parameters, custom tools and a choice among some', () => {
    const list = [
      { type: 'function', function: { name: 'now' } },
      { type: 'custom', custom: { name: 'sql' } },
    ]
    const { body } = askWishing(CHAT, MESSAGES, { tools: list })
    expect(body.tools[0].input_schema).toEqual({ type: 'object', properties: {} })
    expect(body.tools[1]).toMatchObject({ name: 'sql', input_schema: { required: ['input'] } })
    const some = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [list[0]] } }
    const narrowed = askWishing(CHAT, MESSAGES, { tools: list, tool_choice: some })
    expect(narrowed.body.tools.map((tool: Loose) => tool.name)).toEqual(['now'])
  })

  test('keeps numbers of 64 bits', () => {
    const { raw } = ask(
      CHAT,
      CHAT,
      `{"model":"m","seed":9223372036854775807,"messages":[${JSON.stringify(hi)}]}`,
    )
    expect(raw).toContain('"seed":9223372036854775807')
    const numbers = '{"id":12345678901234567890,"x":1.0}'
    const called = loop(CHAT, { ofCall: { function: { name: 'weather', arguments: numbers } } })
    expect(ask(CHAT, MESSAGES, called).raw).toContain(`"input":${numbers}`)
  })

  test('has its limit renamed for hosts that know the other name, and loses sampling by capability only', () => {
    const limit = { max_tokens: 50, temperature: 0.3 }
    const old = askWishing(CHAT, CHAT, limit, { target: { limitMember: 'max_tokens' } })
    expect(old.body).toMatchObject({ max_tokens: 50, temperature: 0.3 })
    const current = askWishing(CHAT, CHAT, limit, { facts: { sampling: 'none' } })
    expect(current.body).toMatchObject({ max_completion_tokens: 50 })
    expect(current.body.temperature).toBeUndefined()
    expect(current.losses).toEqual(['drop /temperature unsupported'])
  })

  test('keeps every system text in its order, and at its place', () => {
    const { body } = ask(
      CHAT,
      MESSAGES,
      chat([{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, hi]),
    )
    expect(body.system.map((part: Loose) => part.text)).toEqual(['A', 'B'])
    const later = chat([hi, { role: 'assistant', content: 'ok' }, { role: 'system', content: 'C' }, hi])
    const said = ask(CHAT, CONVERSE, later, { facts: { midSystem: false } })
    expect(said.body.messages[2]).toMatchObject({ role: 'user' })
    expect(said.body.messages[2].content[0].text).toContain('C')
    expect(said.losses).toEqual(['emulate /messages/2 system_text_in_user_turn'])
  })

  test('loses nothing that Messages can say', () => {
    const marked = { type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }
    const { body } = ask(CHAT, MESSAGES, asking(CHAT, [marked], { user: 'u', reasoning_effort: 'high' }))
    expect(body.messages[0].content[0].cache_control).toEqual({ type: 'ephemeral' })
    expect(body.output_config.effort).toBe('high')
  })

  test('that wants one call at a time gets it without a choice of tools', () => {
    const { body } = askWishing(CHAT, MESSAGES, {
      ...tools(CHAT, ['weather']),
      parallel_tool_calls: false,
    })
    expect(body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true })
  })

  test('has its temperature clamped where more is refused', () => {
    expect(askWishing(CHAT, MESSAGES, { temperature: 1.7 }).body.temperature).toBe(1)
    expect(askWishing(CHAT, CONVERSE, { temperature: 1.7 }).body.inferenceConfig.temperature).toBe(1)
  })

  test('survives arguments that are empty or broken', () => {
    const broken = (args: string) =>
      ask(CHAT, MESSAGES, loop(CHAT, { ofCall: { function: { name: 'weather', arguments: args } } })).body
        .messages[1].content[0].input
    expect(broken('')).toEqual({})
    expect(broken('{"a":')).toEqual({ __raw: '{"a":' })
    expect(broken('[1]')).toEqual({ __raw: '[1]' })
  })

  test('has all results in one user turn, results first', () => {
    const body = loop(CHAT, { ids: ['a', 'b'] }) as Loose
    for (const upstream of [MESSAGES, CONVERSE] as const) {
      const sent = ask(CHAT, upstream, { ...body, messages: [...body.messages, hi] }).body
      expect(sent.messages.map((turn: Loose) => turn.role)).toEqual(['user', 'assistant', 'user'])
      const kinds = sent.messages[2].content.map((entry: Loose) => entry.type ?? Object.keys(entry)[0])
      expect(kinds.map((kind: string) => (/result/i.test(kind) ? 'result' : 'text'))).toEqual([
        'result',
        'result',
        'text',
      ])
    }
  })

  test('never becomes an empty block', () => {
    const parts = [
      { type: 'text', text: '' },
      { type: 'text', text: '  ' },
      { type: 'text', text: 'hi' },
    ]
    for (const upstream of [MESSAGES, CONVERSE] as const) {
      expect(ask(CHAT, upstream, asking(CHAT, parts)).raw).not.toMatch(/"text":"\s*"/)
    }
    expect(() => ask(CHAT, MESSAGES, chat([{ role: 'user', content: '' }]))).toThrow(/messages: no turn/)
    // A Gemini client is told of the member it wrote.
    expect(() => ask(GEMINI, CHAT, { contents: [{ role: 'user' }] })).toThrow(/contents: no turn/)
  })

  test('may hold a data URL that is not base64', () => {
    const url = 'data:image/svg+xml,%3Csvg%3E'
    const part = { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain,a%20b' } }
    expect(ask(CHAT, MESSAGES, asking(CHAT, [part])).raw).toContain('a b')
    expect(() => ask(CHAT, MESSAGES, asking(CHAT, [{ type: 'image_url', image_url: { url } }]))).toThrow(
      /messages\[0\]\.content\[0\]/,
    )
    const jpg = { type: 'image_url', image_url: { url: `data:image/jpg;base64,${PNG}` } }
    expect(ask(CHAT, MESSAGES, asking(CHAT, [jpg])).raw).toContain('"media_type":"image/jpeg"')
  })

  test('has the limit of its model when it names none, and none is invented for hosts that need none', () => {
    expect(askWishing(CHAT, MESSAGES, {}, { facts: { outputTokensMax: 32_000 } }).body.max_tokens).toBe(
      32_000,
    )
    expect(askWishing(CHAT, RESPONSES, {}).body.max_output_tokens).toBeUndefined()
  })

  test('has ids of calls mapped alike in calls and results', () => {
    const odd = loop(CHAT, { ids: ['functions.f:0'] })
    for (const [upstream, rule] of [
      [MESSAGES, /^[a-zA-Z0-9_-]+$/],
      [CONVERSE, /^[a-zA-Z0-9_.:-]{1,64}$/],
    ] as const) {
      const { raw } = ask(CHAT, upstream, odd)
      const made = /"(?:id|toolUseId)":"([^"]+)"/.exec(raw)![1]!
      expect(made).toMatch(rule)
      expect(raw.split(`"${made}"`)).toHaveLength(3)
    }
  })

  test('of several answers is refused where there is one', () => {
    for (const upstream of [MESSAGES, CONVERSE, RESPONSES] as const) {
      expect(() => askWishing(CHAT, upstream, { n: 2 })).toThrow(/^n: found 2/)
    }
  })

  test('has stop texts that a vendor takes', () => {
    const stop = ['a', 'b', 'c', 'd', 'e']
    const many = askWishing(MESSAGES, CHAT, { stop_sequences: stop })
    expect(many.body.stop).toEqual(['a', 'b', 'c', 'd'])
    expect(many.losses).toEqual(['drop /stop_sequences too_many'])
    expect(askWishing(CHAT, MESSAGES, { stop: ['  ', 'x'] }).body.stop_sequences).toEqual(['x'])
  })

  test('may begin with the model, and end with it where that is refused', () => {
    const start = ask(CHAT, MESSAGES, chat([{ role: 'assistant', content: 'hello' }, hi]))
    expect(start.body.messages[0].role).toBe('user')
    const end = ask(CHAT, MESSAGES, chat([hi, { role: 'assistant', content: 'hello' }]), {
      facts: { prefill: false },
    })
    expect(end.body.messages.at(-1).role).toBe('user')
    expect([...start.losses, ...end.losses]).toEqual([
      'emulate /messages/0 opening_user_turn',
      'emulate /messages/1 prefill_as_history',
    ])
  })
})

describe('a Messages prompt', () => {
  test('keeps the vendor`s own tools, blocks and members when it is written again', () => {
    const body = {
      ...wishing(MESSAGES, {}),
      tools: [
        { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
        { type: 'bash_20250124', name: 'bash' },
      ],
      messages: [
        message(MESSAGES, 'user', [
          { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] },
          { type: 'container_upload', file_id: 'f' },
          { type: 'image', source: { type: 'file', file_id: 'f' } },
          {
            type: 'document',
            title: 'T',
            context: 'C',
            citations: { enabled: true },
            source: { type: 'text', media_type: 'text/plain', data: 'x' },
            cache_control: { type: 'ephemeral', ttl: '1h' },
          },
        ]),
        message(MESSAGES, 'model', [
          { type: 'redacted_thinking', data: 'x' },
          { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
          {
            type: 'web_search_tool_result',
            tool_use_id: 's1',
            content: [{ type: 'web_search_result', url: 'u', title: 't', encrypted_content: 'e' }],
          },
          { type: 'tool_use', id: 't1', name: 'bash', input: {} },
        ]),
        message(MESSAGES, 'user', [{ type: 'tool_result', tool_use_id: 't1' }]),
      ],
      context_management: { edits: [] },
      container: { id: 'c' },
    }
    const sent = ask(MESSAGES, MESSAGES, body)
    expect(sent.losses).toEqual([])
    expect(sent.body.messages).toEqual(body.messages)
    expect(sent.body.tools).toEqual(body.tools)
    expect(sent.body).toMatchObject({ context_management: { edits: [] }, container: { id: 'c' } })
  })

  test('keeps who asks, thinking and the tier for a Chat host, and usage is asked for', () => {
    const wishes = {
      metadata: { user_id: 'u-1' },
      thinking: { type: 'enabled', budget_tokens: 2048 },
      max_tokens: 4000,
      top_k: 5,
      stream: true,
    }
    const { body, losses } = askWishing(MESSAGES, CHAT, wishes)
    expect(body).toMatchObject({
      safety_identifier: 'u-1',
      reasoning_effort: 'low',
      stream_options: { include_usage: true },
    })
    expect(losses.join()).toContain('/top_k unsupported')
    expect(askWishing(MESSAGES, CHAT, {}, { target: { limitMember: 'max_tokens' } }).body.max_tokens).toBe(
      100,
    )
  })

  test('with documents or images alone is never a blank', () => {
    const pdf = {
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
    }
    expect(ask(MESSAGES, CHAT, asking(MESSAGES, [pdf])).body.messages[0].content[0].type).toBe('file')
    expect(ask(MESSAGES, CONVERSE, asking(MESSAGES, [pdf])).raw).toContain('"document":{')
    const far = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }
    expect(() => ask(MESSAGES, CONVERSE, asking(MESSAGES, [far]))).toThrow(/messages\[0\]\.content\[0\]/)
  })

  test('carries images, files and failures out of results', () => {
    const result = [
      { type: 'text', text: 'see' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
    ]
    const { body } = ask(MESSAGES, CHAT, loop(MESSAGES, { result, ofResult: { is_error: true } }))
    const [, , told, after] = body.messages
    expect(told).toMatchObject({ role: 'tool', content: 'Error: see' })
    expect(after.content.at(-1).image_url.url).toContain(PNG)
  })

  test('brings thoughts back to their issuer, and to nobody else', () => {
    const before = [{ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }]
    const body = loop(MESSAGES, { before, more: { thinking: { type: 'adaptive' } } })
    expect(ask(MESSAGES, MESSAGES, body).body.messages[1].content[0]).toEqual(before[0])
    for (const upstream of [CHAT, RESPONSES, CONVERSE, GEMINI] as const) {
      const sent = ask(MESSAGES, upstream, body)
      expect(sent.raw).not.toContain('c2ln')
      expect(sent.losses.join()).toContain('foreign_reasoning')
    }
    const only = [hi, message(MESSAGES, 'model', before), hi]
    expect(
      ask(MESSAGES, CHAT, { model: 'm', max_tokens: 9, messages: only }).body.messages.length,
    ).toBeGreaterThan(0)
  })

  test('has no detail of images invented, and a known one copied', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }
    expect(ask(MESSAGES, CHAT, asking(MESSAGES, [image])).raw).not.toContain('detail')
    const known = { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'high' }
    expect(ask(RESPONSES, CHAT, asking(RESPONSES, [known])).raw).toContain('"detail":"high"')
  })

  test('never shows calls that ran at the vendor as calls of the client', () => {
    const traces = [
      { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
      { type: 'text', text: 'found' },
    ]
    const body = { model: 'm', max_tokens: 9, messages: [hi, message(MESSAGES, 'model', traces), hi] }
    for (const upstream of [CHAT, RESPONSES, CONVERSE, GEMINI] as const) {
      const sent = ask(MESSAGES, upstream, body)
      expect(sent.raw).not.toMatch(/tool_calls|function_call|functionCall|toolUse|"role":"tool"/)
      expect(sent.raw).toContain('found')
    }
  })

  test('that only fills the cache is refused where that cannot be said', () => {
    expect(ask(MESSAGES, MESSAGES, wishing(MESSAGES, { max_tokens: 0 })).body.max_tokens).toBe(0)
    expect(() => askWishing(MESSAGES, CHAT, { max_tokens: 0 })).toThrow(/^max_tokens: found 0/)
  })
})

describe('a Responses prompt', () => {
  test('keeps its own members, items and tools when it is written again', () => {
    const body = {
      model: 'm',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }], id: 'msg_1' },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
        {
          type: 'message',
          role: 'assistant',
          id: 'msg_2',
          phase: 'commentary',
          content: [{ type: 'output_text', text: 'a', annotations: [] }],
        },
        { type: 'message', role: 'user', content: 'go' },
      ],
      reasoning: { effort: 'xhigh', summary: 'auto' },
      prompt_cache_key: 'k',
      safety_identifier: 'u',
      text: { verbosity: 'low', format: { type: 'json_schema', name: 'w', schema: SCHEMA, strict: true } },
      tools: [
        { type: 'web_search_preview' },
        { type: 'mcp', server_label: 's', server_url: 'https://example.com' },
        { type: 'file_search', vector_store_ids: ['v'], filters: { type: 'eq', key: 'k', value: 'v' } },
        { type: 'code_interpreter', container: { type: 'auto' } },
        { type: 'image_generation' },
        { type: 'local_shell' },
      ],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp', server_label: 's' }] },
      include: ['web_search_call.action.sources', 'new.value'],
      conversation: 'conv_1',
    }
    const sent = ask(RESPONSES, RESPONSES, body)
    expect(sent.losses).toEqual([])
    expect(sent.body).toMatchObject({
      reasoning: body.reasoning,
      prompt_cache_key: 'k',
      safety_identifier: 'u',
      text: body.text,
      tools: body.tools,
      tool_choice: body.tool_choice,
      conversation: 'conv_1',
    })
    expect(sent.body.include).toEqual(expect.arrayContaining(body.include))
    expect(sent.body.input[2]).toMatchObject({ id: 'msg_2', phase: 'commentary' })
  })

  test('keeps its text beside files, images and refusals for a Chat host', () => {
    const format = { type: 'json_schema', name: 'w', schema: SCHEMA, strict: true }
    const parts = [
      { type: 'input_text', text: 'See.' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
    ]
    const { body } = ask(
      RESPONSES,
      CHAT,
      asking(RESPONSES, parts, { reasoning: { effort: 'low' }, text: { verbosity: 'low', format } }),
    )
    expect(body.messages[0].content.map((part: Loose) => part.type)).toEqual(['text', 'file', 'image_url'])
    expect(body).toMatchObject({ reasoning_effort: 'low', verbosity: 'low' })
    expect(body.response_format.json_schema).toMatchObject({ name: 'w', strict: true })
    expect(() =>
      ask(RESPONSES, CHAT, asking(RESPONSES, [{ type: 'input_file', file_url: 'https://e.com/a' }])),
    ).toThrow(/input\[0\]\.content\[0\]/)
  })

  test('unpacks the parts of a result', () => {
    const result = [
      { type: 'input_text', text: 'sunny' },
      { type: 'input_image', image_url: `data:image/png;base64,${PNG}` },
    ]
    const { body } = ask(RESPONSES, CHAT, loop(RESPONSES, { result }))
    expect(body.messages[2]).toMatchObject({ role: 'tool', content: 'sunny' })
    expect(ask(RESPONSES, MESSAGES, loop(RESPONSES, { result })).raw).toContain('"type":"image"')
  })

  test('with hosted tools goes through: they are mapped or reported', () => {
    const list = [{ type: 'file_search', vector_store_ids: ['v'] }, { type: 'web_search' }]
    const { body, losses } = askWishing(RESPONSES, CHAT, { tools: list })
    expect(body.tools).toBeUndefined()
    expect(body.web_search_options).toBeUndefined()
    expect(losses).toEqual(['drop /tools/0 hosted_tool', 'drop /tools/1 hosted_tool'])
    const search = { facts: { webSearch: 'web_search_20250305' } }
    expect(askWishing(RESPONSES, MESSAGES, { tools: list }, search).raw).toContain('web_search_20250305')
  })

  test('has custom tools as plain functions, without smuggled members', () => {
    const format = { type: 'grammar', syntax: 'regex', definition: '[0-9]+' }
    const { body, context } = askWishing(RESPONSES, MESSAGES, {
      tools: [{ type: 'custom', name: 'n', format }],
    })
    expect(Object.keys(body.tools[0].input_schema).sort()).toEqual(['properties', 'required', 'type'])
    expect(body.tools[0].description).toContain('[0-9]+')
    expect(context.customTools.has('n')).toBe(true)
  })

  test('keeps tools of one name in two namespaces apart', () => {
    const list = ['a', 'b'].map(name => ({
      type: 'namespace',
      name,
      tools: [{ type: 'function', name: 'find', parameters: SCHEMA }],
    }))
    const { body, context } = askWishing(RESPONSES, CHAT, { tools: list })
    const names = body.tools.map((tool: Loose) => tool.function.name)
    expect(new Set(names).size).toBe(2)
    expect(names.map((name: string) => context.names.toClient(name))).toEqual([
      { name: 'find', namespace: 'a' },
      { name: 'find', namespace: 'b' },
    ])
  })

  test('with a broken call is refused by the place of the item', () => {
    const items = [
      { role: 'user', content: 'hi' },
      { type: 'function_call', call_id: 'c', arguments: '{}' },
    ]
    expect(() => ask(RESPONSES, CHAT, { model: 'm', input: items })).toThrow(/input\[1\]\.name/)
  })

  test('that wants probabilities asks a Chat host for both members', () => {
    const { body } = askWishing(RESPONSES, CHAT, { top_logprobs: 3 })
    expect(body).toMatchObject({ logprobs: true, top_logprobs: 3 })
  })
})

describe('a body', () => {
  test('that is wrong for its dialect is refused with the path, what was found and what is allowed', () => {
    for (const [client, body, path] of [
      [CHAT, asking(CHAT, [{ type: 'image_url', image_url: 7 }]), 'messages[0].content[0].image_url'],
      [RESPONSES, wishing(RESPONSES, { temperature: 'hot' }), 'temperature'],
      [
        CHAT,
        wishing(CHAT, { response_format: { type: 'json_schema', json_schema: { schema: 'x' } } }),
        'response_format.json_schema.schema',
      ],
      [MESSAGES, { model: 'm', messages: [hi] }, 'max_tokens'],
      [CONVERSE, wishing(CONVERSE, { inferenceConfig: { maxTokens: 'x' } }), 'inferenceConfig.maxTokens'],
      [GEMINI, wishing(GEMINI, { generationConfig: { topP: [] } }), 'generationConfig.topP'],
    ] as const) {
      let param: string | null = null
      try {
        readPrompt(client, bytes(JSON.stringify(body)))
      } catch (error) {
        param = (error as { param: string | null }).param
        expect(String(error)).toMatch(/found|missing/)
      }
      expect(param).toBe(path)
    }
  })

  test('of a strict caller is refused with every field named, cache hints aside', () => {
    const body = asking(CHAT, [text(CHAT, 'hi')], { seed: 1, logprobs: true, prompt_cache_key: 'k' })
    expect(() => ask(CHAT, MESSAGES, body, { strict: true })).toThrow(/\/logprobs.*\/seed/)
    const hint = asking(CHAT, [text(CHAT, 'hi')], { prompt_cache_key: 'k' })
    expect(ask(CHAT, MESSAGES, hint, { strict: true }).losses).toEqual(['drop /prompt_cache_key cache_key'])
  })
})
