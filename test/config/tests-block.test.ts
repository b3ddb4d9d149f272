// The `tests:` block: what a file promises is held against what the gateway does, without network and in no time.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkFile } from '../../src/check-file.ts'
import { issueText } from '../../src/common/config/index.ts'
import { loadChecked } from '../../src/load-checked.ts'

let cwd = ''
beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'sluice-tests-block-'))))
afterEach(() => rmSync(cwd, { recursive: true }))

const FILE = `version: v0.4.0
listeners: [{ type: model, name: llm, port: 12000 }]
model_providers:
  - { model: openai/gpt-4o, access_key: sk-of-a-test-one, default: true, fallbacks: [anthropic/claude-sonnet-4-5] }
  - { model: anthropic/claude-sonnet-4-5, access_key: sk-of-a-test-two }
  - { model: anthropic/*, access_key: sk-of-a-test-two }
  - { model: house/*, base_url: "https://house.example/ai/v1", provider_interface: openai, access_key: sk-of-a-test-one }
  - { model: gemini/*, access_key: sk-of-a-test-four }
  - { model: amazon_bedrock/titan-embed-text-v2, region: us-east-1 }
  - { model: amazon_bedrock/anthropic.claude-3-haiku, base_url: "http://h", access_key: sk-of-a-test-three }
model_aliases:
  fast: { target: openai/gpt-4o }
tests:
`

/** A test of the block, as one line of YAML's inline form. */
function checked(request: object, expectation: object, facts: object = {}) {
  const line = JSON.stringify({ name: 'it holds', request, facts, expect: expectation })
  writeFileSync(join(cwd, 'config.yaml'), `${FILE}  - ${line}\n`)
  return checkFile({ file: 'config.yaml', cwd, env: {} })
}

function messages(request: object, expectation: object, facts: object = {}): string[] {
  const { ok, issues } = checked(request, expectation, facts)
  expect(ok).toBe(issues.length === 0)
  return issues.map(issueText)
}

const USER = [{ role: 'user', content: 'Hello' }]
const CLAUDE = 'anthropic/claude-sonnet-4-5'

describe('a promise that is kept', () => {
  test.each([
    [
      'an alias',
      { model: 'fast' },
      { model: 'openai/gpt-4o', provider: 'openai', upstream_dialect: 'openai-chat' },
    ],
    ['the default', {}, { model: 'gpt-4o', provider: 'openai/gpt-4o', losses: [] }],
    ['a wildcard', { model: 'anthropic/claude-x' }, { model: 'claude-x', provider: 'anthropic/*' }],
    [
      'a translation and what it loses',
      { model: CLAUDE, body: { messages: USER, logit_bias: { 5: 1 } } },
      { upstream_dialect: 'anthropic-messages', losses: [{ field: '/logit_bias', action: 'drop' }] },
    ],
    ['a model in the path', { dialect: 'gemini-generate', model: 'fast', stream: true }, { model: 'gpt-4o' }],
    [
      'a path',
      { path: '/v1/messages', model: CLAUDE },
      { upstream_dialect: 'anthropic-messages', losses: [] },
    ],
    ['a token count', { path: '/v1/messages/count_tokens', model: CLAUDE }, { provider: 'anthropic' }],
    ['a refusal', { model: 'openai/gpt-9' }, { status: 404, error: 'does not exist here' }],
    ['an unknown path', { path: '/v1/nothing' }, { status: 404 }],
    ['a wrong method', { path: '/v1/messages', method: 'GET' }, { status: 405 }],
    [
      'strictness',
      { model: CLAUDE, headers: { 'X-Gateway-Strict': 'true' }, body: { logit_bias: { 5: 1 } } },
      { status: 400, error: '/logit_bias' },
    ],
    ['a body that is wrong', { body: { messages: 'none' }, model: CLAUDE }, { status: 400 }],
    ['the model list', { path: '/v1/models', method: 'GET' }, { status: 200 }],
  ])('%s', (_what, request, expectation) => {
    expect(messages(request, expectation)).toEqual([])
  })

  test('the fallback when the first choice rests', () => {
    const facts = { unavailable: ['openai/gpt-4o'] }
    expect(messages({ model: 'fast' }, { provider: CLAUDE }, facts)).toEqual([])
    expect(messages({ model: 'fast' }, { provider: 'openai/gpt-4o' })).toEqual([])
    const all = { unavailable: ['openai/gpt-4o', CLAUDE] }
    expect(messages({ model: 'fast' }, { status: 503 }, all)).toEqual([])
  })
})

describe('forwarded paths are followed to the call', () => {
  const house = (path: string) => ({ url: `https://house.example/ai${path}` })
  const openai = (path: string) => ({ url: `https://api.openai.com${path}` })
  test.each([
    ['/v1/embeddings', { model: 'house/small' }, { ...house('/v1/embeddings'), provider: 'house/*' }],
    ['/v1/completions', { model: 'house/instruct' }, { ...house('/v1/completions'), model: 'instruct' }],
    ['/v1/moderations', { model: 'house/omni' }, house('/v1/moderations')],
    ['/v1/rerank', { model: 'house/rank' }, house('/v1/rerank')],
    [
      '/v1/images/generations',
      { model: 'house/image' },
      { ...house('/v1/images/generations'), model: 'image' },
    ],
    ['/v1/images/edits', { model: 'house/image' }, house('/v1/images/edits')],
    ['/v1/audio/speech', { model: 'house/tts-1' }, { ...house('/v1/audio/speech'), model: 'tts-1' }],
    [
      '/v1/audio/transcriptions',
      { model: 'house/whisper-1' },
      { ...house('/v1/audio/transcriptions'), model: 'whisper-1' },
    ],
    ['/v1/files', { method: 'GET' }, { ...openai('/v1/files'), provider: 'openai/gpt-4o' }],
    ['/v1/files', { body: { purpose: 'batch' } }, openai('/v1/files')],
    ['/v1/files/file-1', { method: 'DELETE' }, openai('/v1/files/file-1')],
    ['/v1/batches/b-1/cancel', {}, openai('/v1/batches/b-1/cancel')],
    ['/v1/files?limit=2', { method: 'GET' }, openai('/v1/files?limit=2')],
    ['/v1/audio/speech', { model: CLAUDE }, { status: 404, error: 'does not serve /v1/audio/speech' }],
    ['/v1/embeddings', { model: 'anthropic/x' }, { status: 404, error: 'does not serve' }],
    ['/v1/files', { method: 'GET', headers: { 'x-gateway-provider': 'nobody' } }, { status: 400 }],
    ['/v1/audio/speech', { method: 'GET' }, { status: 405 }],
  ])('%s, %j', (path, request, expectation) => {
    expect(messages({ path, ...request }, expectation)).toEqual([])
  })

  test('also where the vendor’s interface is another', () => {
    const path = '/v1/embeddings'
    expect(
      messages(
        { path, model: 'gemini/text-embedding-004' },
        {
          upstream_dialect: 'gemini-generate',
          url: 'https://generativelanguage.googleapis.com/v1beta/models/text-embedding-004:batchEmbedContents',
          losses: [],
        },
      ),
    ).toEqual([])
    // Signed calls are followed, too: nobody is asked for a signature.
    expect(
      messages(
        { path, model: 'amazon_bedrock/titan-embed-text-v2' },
        { url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/titan-embed-text-v2/invoke' },
      ),
    ).toEqual([])
  })

  test('and a key in the address of a host is not shown', () => {
    writeFileSync(
      join(cwd, 'config.yaml'),
      `version: v0.4.0
listeners: []
model_providers: [{ model: openai/m, base_url: "https://h/v1?key=zqx-in-the-query", access_key: k-of-a-test }]
tests: [{ name: n, request: { model: openai/m }, expect: { url: "https://zqx:zqx-password@other/v1" } }]
`,
    )
    const [message, ...others] = checkFile({ file: 'config.yaml', cwd, env: {} }).issues.map(issueText)
    expect(message).toContain('got https://h/v1/chat/completions')
    expect(message).not.toContain('zqx')
    expect(others).toEqual([])
  })
})

describe('a promise that is not kept is an error at its place in the file', () => {
  test.each([
    [{ model: 'fast' }, { model: 'openai/gpt-5' }, 'expected model `openai/gpt-5`, got `openai/gpt-4o`'],
    [{ model: 'fast' }, { provider: 'anthropic' }, 'expected provider `anthropic`, got `openai/gpt-4o`'],
    [
      { model: 'fast' },
      { upstream_dialect: 'bedrock-converse' },
      'expected `bedrock-converse`, got `openai-chat`',
    ],
    [{ model: 'fast' }, { losses: ['/tools'] }, 'expected the loss of `/tools`, got no loss'],
    [{ model: CLAUDE, body: { logit_bias: { 5: 1 } } }, { losses: [] }, 'also lost: `/logit_bias`'],
    [{ model: 'fast' }, { status: 404 }, 'expected 404, got status 200'],
    [
      { model: 'openai/gpt-9' },
      {},
      'expected 200, got status 404 (the model `openai/gpt-9` does not exist here',
    ],
    [{ model: 'fast' }, { error: 'no' }, 'expected a refusal, got status 200'],
    [{ model: 'openai/gpt-9' }, { error: 'broken' }, 'expected an error with `broken`'],
    [{ path: '/v1/models', method: 'GET' }, { model: 'a' }, 'no provider would be called'],
    [
      { path: '/v1/embeddings', model: 'house/small' },
      { url: 'https://house.example/v1/embeddings' },
      'expected a call of https://house.example/v1/embeddings, got https://house.example/ai/v1/embeddings',
    ],
    [
      { model: 'fast' },
      { url: 'https://api.openai.com/v1/chat/completions?a=1' },
      'got https://api.openai.com/v1/chat/completions with another query',
    ],
  ])('%j, expecting %j', (request, expectation, message) => {
    const [first, ...others] = messages(request, expectation)
    expect(first).toContain(message)
    expect(first).toMatch(/^config\.yaml:14:\d+ tests\[0\].*: S19 the test `it holds` fails: /)
    expect(others).toEqual([])
  })

  test('and so is a fact about an entry that is not there', () => {
    expect(messages({}, {}, { unavailable: ['openai/gone'] })).toEqual([
      expect.stringContaining('`openai/gone`, and there is no such provider entry'),
    ])
  })

  test('an expectation that does not exist is refused before anything is run', () => {
    const [message] = messages({}, { modle: 'a' })
    expect(message).toContain('tests[0].expect.modle: E01 this key does not exist here')
    expect(message).toContain('did you mean `model`?')
  })

  test('no message shows a secret', () => {
    for (const text of messages({ headers: { authorization: 'Bearer zqx-zqx-zqx' } }, { model: 'x' })) {
      expect(text).not.toMatch(/zqx|sk-of-a-test/)
    }
  })
})

test('verdicts that nothing can give yet are accepted, and named as not active', () => {
  const { ok, tests, loaded } = checked({ model: 'fast' }, { limit: 'pass', guard: 'redact' })
  expect(ok).toBe(true)
  expect(tests[0]!.notActive).toEqual(['limit', 'guard'])
  expect(loaded!.notes.notActive).toEqual(['tests[].expect.limit', 'tests[].expect.guard'])
})

test('what the file promises is no part of the plan', () => {
  const hash = (expectation: object) => checked({ model: 'fast' }, expectation).loaded!.plan.hash
  expect(hash({ status: 200 })).toBe(hash({ provider: 'openai' }))
})

test('a file whose test fails is not loaded by whoever would use it', async () => {
  checked({ model: 'fast' }, { status: 404 })
  await expect(loadChecked({ file: 'config.yaml', cwd, env: {} })).rejects.toThrow(
    /S19 the test `it holds` fails/,
  )
})

test('a hundred tests take a few milliseconds each at most', () => {
  const line = JSON.stringify({ name: 'n', request: { model: 'fast' }, expect: { model: 'gpt-4o' } })
  writeFileSync(join(cwd, 'config.yaml'), FILE + `  - ${line}\n`.repeat(100))
  const run = () => {
    const startMs = performance.now()
    expect(checkFile({ file: 'config.yaml', cwd, env: {} }).ok).toBe(true)
    return performance.now() - startMs
  }
  // The best of three: other tests share the machine.
  expect(Math.min(run(), run(), run())).toBeLessThan(1_000)
})
