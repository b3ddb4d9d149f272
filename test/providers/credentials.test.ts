// What stands in the header fields of a call: the provider's key in the provider's form, the caller's only where the
// configuration says so.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addProviderHeaders, withFields } from '../../src/providers/index.ts'
import { exchangeLevel } from '../../src/telemetry/shard-metrics.ts'
import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { Bench, provider } from '../gateway/harness.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { clientCall } from './client-bodies.ts'

function shown(
  vendor: string,
  dialect: DialectId,
  key: string | null,
  more = {},
  client: string[] = [],
  target = '/v1/x',
): string[] {
  const out: string[] = []
  const plan = provider('p/m', 'https://h', { provider: vendor, dialects: [dialect], ...more })
  addProviderHeaders(plan, dialect, { headers: client, target }, out, key)
  return out
}

describe('a key is shown', () => {
  test.each([
    ['openai', 'openai-chat', 'k', ['authorization', 'Bearer k']],
    ['openai', 'openai-responses', 'k', ['authorization', 'Bearer k']],
    ['anthropic', 'anthropic-messages', 'k', ['anthropic-version', '2023-06-01', 'x-api-key', 'k']],
    [
      'anthropic',
      'anthropic-messages',
      'sk-ant-oat01-t',
      ['anthropic-version', '2023-06-01', 'authorization', 'Bearer sk-ant-oat01-t'],
    ],
    [
      'openrouter',
      'anthropic-messages',
      'k',
      ['anthropic-version', '2023-06-01', 'authorization', 'Bearer k'],
    ],
    ['azure_openai', 'openai-chat', 'k', ['api-key', 'k']],
    ['azure_openai', 'openai-responses', 'k', ['api-key', 'k']],
    ['azure_openai', 'openai-chat', 'eyJhbGc.eyJhdWQ.c2ln', ['authorization', 'Bearer eyJhbGc.eyJhdWQ.c2ln']],
    ['gemini', 'gemini-generate', 'AIza1', ['x-goog-api-key', 'AIza1']],
    ['gemini', 'openai-chat', 'AIza1', ['authorization', 'Bearer AIza1']],
    ['vertex', 'gemini-generate', 'ya29.t', ['authorization', 'Bearer ya29.t']],
    ['amazon_bedrock', 'bedrock-converse', 'k', ['authorization', 'Bearer k']],
  ] as const)('of %s for %s: %s', (vendor, dialect, key, fields) => {
    expect(shown(vendor, dialect, key)).toEqual(fields)
  })

  test('not at all to a host that has none, and a vendor without one is an error of the configuration', () => {
    expect(shown('ollama', 'openai-chat', null)).toEqual([])
    expect(() => shown('openai', 'openai-chat', null, { keyOptional: false })).toThrow(/no access_key/)
  })
})

describe('the caller’s own key is found', () => {
  const passed = (client: string[], target = '/v1/x'): string[] =>
    shown('openai', 'openai-chat', null, { passthroughAuth: true }, client, target)
  const gemini = '/v1beta/models/m:generateContent'

  test.each([
    ['a Bearer token', ['authorization', 'Bearer k-1'], '/v1/x'],
    ['a bare authorization', ['authorization', 'k-1'], '/v1/x'],
    ['Anthropic’s field', ['x-api-key', 'k-1'], '/v1/x'],
    ['Gemini’s field', ['x-goog-api-key', 'k-1'], gemini],
    ['Azure’s field', ['api-key', 'k-1'], '/v1/x'],
    ['Gemini’s query', [], `${gemini}?alt=sse&key=k-1`],
    ['Gemini’s query, encoded', [], `${gemini}?key=k%2D1`],
  ])('in %s', (_where, client, target) => {
    expect(passed(client, target)).toEqual(['authorization', 'Bearer k-1'])
  })

  test.each([
    ['a signature made for us', ['authorization', 'AWS4-HMAC-SHA256 Credential=a, Signature=b'], '/v1/x'],
    ['a password', ['authorization', 'Basic dTpw'], '/v1/x'],
    ['a scheme without a key', ['authorization', 'Bearer '], '/v1/x'],
    ['a query that would end the field', [], `${gemini}?key=k%0d%0ax-evil:%201`],
    ['an empty query', [], `${gemini}?key=`],
  ])('not in %s', (_where, client, target) => {
    expect(passed(client, target)).toEqual([])
  })
})

test('configured fields come last and replace, whatever the credential said', () => {
  const headers = ['authorization', 'Token own', 'x-team', 'a']
  expect(shown('openai', 'openai-chat', 'k', { headers })).toEqual(headers)
})

test('the Host field is the configured one', () => {
  expect(shown('openai', 'openai-chat', null, { httpHost: 'llama.internal' })).toEqual([
    'host',
    'llama.internal',
  ])
})

test('fields that replace others take their places, however often those stood', () => {
  expect(withFields(['a', '1', 'b', '2', 'a', '3'], ['a', '4'])).toEqual(['b', '2', 'a', '4'])
})

describe('the caller’s credential', () => {
  let upstream: FakeUpstream
  let bench: Bench

  beforeEach(async () => {
    upstream = await startFakeUpstream()
  })

  afterEach(async () => {
    await bench.close()
    await upstream.close()
  })

  const STYLES: Readonly<Record<DialectId, readonly string[]>> = {
    'openai-chat': ['authorization', 'Bearer sk-caller'],
    'openai-responses': ['authorization', 'Bearer sk-caller'],
    'anthropic-messages': ['x-api-key', 'sk-caller'],
    'bedrock-converse': ['authorization', 'Bearer sk-caller'],
    'gemini-generate': ['x-goog-api-key', 'sk-caller'],
  }

  async function arrivedAt(dialect: DialectId, passthroughAuth: boolean, keys: string[]): Promise<string> {
    bench = new Bench({
      providers: [
        provider('p/m', upstream.origin, {
          name: 'm',
          dialects: [dialect],
          passthroughAuth,
          accessKeys: keys.map(secret => ({ secret, weight: 1 })),
        }),
      ],
    })
    const { path, body } = clientCall(dialect, 'm', false)
    const reply = await bench.call(path, body, [...STYLES[dialect], 'cookie', 'sid=sk-caller'])
    expect(reply.status).toBe(200)
    const { headers, path: target } = upstream.requests[0]!
    return `${target}\n${headers.join('\n')}\n${upstream.requests[0]!.text()}`
  }

  test.each(DIALECTS)('never goes upstream in place of a key: %s', async dialect => {
    const arrived = await arrivedAt(dialect, false, ['sk-gateway'])
    expect(arrived).toContain('sk-gateway')
    expect(arrived).not.toContain('sk-caller')
  })

  test.each(DIALECTS)('never goes to a host that needs no key: %s', async dialect => {
    expect(await arrivedAt(dialect, false, [])).not.toContain('sk-caller')
  })

  test.each([
    [true, [], true],
    [true, ['authorization', 'Bearer k'], false],
    [false, [], false],
  ])('that is missing is worth a line of the log: passed on %s, shown %j', async (passed, shows, absent) => {
    bench = new Bench({
      providers: [provider('p/m', upstream.origin, { name: 'm', passthroughAuth: passed })],
    })
    const { path, body } = clientCall('openai-chat', 'm', false)
    expect((await bench.call(path, body, shows)).status).toBe(200)
    const [record] = bench.records
    expect(record!.credentialAbsent).toBe(absent)
    expect(exchangeLevel(record!)).toBe(absent ? 'info' : 'debug')
  })

  test.each(DIALECTS)('of a Gemini query goes nowhere but into the upstream’s field: %s', async dialect => {
    bench = new Bench({
      providers: [
        provider('p/m', upstream.origin, { name: 'm', dialects: [dialect], passthroughAuth: true }),
      ],
    })
    const { path, body } = clientCall('gemini-generate', 'm', false)
    const reply = await bench.call(`${path}?key=sk-caller`, body, [])
    expect(reply.status).toBe(200)
    const { headers, path: target } = upstream.requests[0]!
    expect(target).not.toContain('sk-caller')
    expect(headers.filter(text => text.includes('sk-caller'))).toHaveLength(1)
    expect(JSON.stringify(bench.records)).not.toContain('sk-caller')
    expect(JSON.stringify(reply)).not.toContain('sk-caller')
  })

  test.each([
    ['/v1beta/models/nobody:generateContent', 404, '{}'],
    ['/v1beta/nothing', 404, '{}'],
    ['/v1beta/models/m:generateContent', 400, '{'],
  ])('of a query is not told back by an error: %s', async (path, status, body) => {
    bench = new Bench({ providers: [provider('p/m', upstream.origin, { name: 'm' })] })
    const reply = await bench.call(`${path}?key=sk-caller`, Buffer.from(body), [])
    expect(reply.status).toBe(status)
    expect(JSON.stringify(reply) + JSON.stringify(bench.records)).not.toContain('sk-caller')
  })

  test('of a query does not stay in the path of a forwarded call', async () => {
    bench = new Bench({ providers: [provider('p/m', upstream.origin, { name: 'm' })] })
    await bench.call('/v1/embeddings?key=sk-caller&x=1', Buffer.from('{"model":"m","input":"a"}'), [])
    expect(upstream.requests[0]!.path).toBe('/v1/embeddings?x=1')
  })

  test.each(DIALECTS)(
    'goes upstream in the upstream’s form where the provider passes it on: %s',
    async dialect => {
      const arrived = await arrivedAt(dialect, true, [])
      expect(arrived).toContain(STYLES[dialect].join('\n'))
      expect(arrived).not.toContain('sid=')
    },
  )
})
