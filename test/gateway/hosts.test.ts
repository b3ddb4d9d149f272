// A provider with several addresses: which of them is called, and what a failure of one does to the others.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HostPlan, ProviderPlan } from '../../src/common/config/index.ts'
import { breakerKey } from '../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, chat, type EngineOptions, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'
const NAME = 'openai/gpt-4o'
const UPSTREAM_DOWN = { status: 500, headers: ['content-type', 'application/json'], body: '{}' }

let first: FakeUpstream
let second: FakeUpstream
let bench: Bench

beforeEach(async () => {
  first = await startFakeUpstream()
  second = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await first.close()
  await second.close()
})

function host(upstream: FakeUpstream, weight = 1, more: Partial<HostPlan> = {}): HostPlan {
  const { origin } = upstream
  return { label: origin.slice('http://'.length), origin, pathPrefix: '/v1', weight, ...more }
}

function open(more: Partial<ProviderPlan> = {}, options: Partial<EngineOptions> = {}): void {
  const hosts = more.hosts ?? [host(first), host(second)]
  bench = new Bench({ providers: [provider(NAME, hosts[0]!.origin, { ...more, hosts })], ...options })
}

async function ask(calls: number, model = NAME): Promise<number[]> {
  const statuses: number[] = []
  for (let call = 0; call < calls; call += 1) statuses.push((await bench.call(CHAT, chat(model))).status)
  return statuses
}

const asked = () => [first.requests.length, second.requests.length] as const

function breakerOf(upstream: FakeUpstream, key = 0) {
  return bench.services.breakers.cell(breakerKey(NAME, key, upstream.origin.slice('http://'.length)))
}

describe('several hosts', () => {
  test('share the calls by their weights', async () => {
    open({ hosts: [host(first), host(second, 4)] })
    expect(await ask(200)).not.toContain(502)
    const [few, many] = asked()
    expect(few + many).toBe(200)
    expect(few).toBeGreaterThan(15)
    expect(few).toBeLessThan(75)
  })

  test('share them by the weights of host and key together', async () => {
    const accessKeys = [
      { secret: 'light', weight: 1 },
      { secret: 'heavy', weight: 9 },
    ]
    open({ hosts: [host(first), host(second, 9)], accessKeys })
    await ask(200)
    const heavy = second.requests.filter(request => request.header('authorization') === 'Bearer heavy')
    expect(heavy.length).toBeGreaterThan(130)
  })

  test('have paths, queries and keys of their own address', async () => {
    open({
      hosts: [host(first, 1, { pathPrefix: '/one/v1', query: 'code=a' }), host(second)],
      query: 'code=a',
    })
    await ask(30)
    expect(new Set(first.requests.map(request => request.path))).toEqual(
      new Set(['/one/v1/chat/completions?code=a']),
    )
    expect(new Set(second.requests.map(request => request.path))).toEqual(new Set(['/v1/chat/completions']))
  })

  test('one of which is dead cost nobody an answer, and it is soon left alone', async () => {
    open()
    await first.close()
    expect(new Set(await ask(60))).toEqual(new Set([200]))
    expect(second.requests).toHaveLength(60)
    expect(breakerOf(first).facts().state).toBe('open')
    expect(breakerOf(second).facts().state).toBe('closed')
    const tries = bench.records.reduce((sum, record) => sum + record.attempts, 0)
    // Ten outcomes open a breaker; then nobody asks it for its cool-down.
    expect(tries).toBeLessThanOrEqual(75)
  })

  test('one of which is dead rest no key, and its other keys are not tried there', async () => {
    const accessKeys = ['a', 'b', 'c'].map(secret => ({ secret, weight: 1 }))
    open({ accessKeys })
    await first.close()
    await ask(6)
    for (const record of bench.records) {
      expect(record.attempts).toBeLessThanOrEqual(2)
      expect((record.failedTries ?? []).map(({ result }) => result).every(one => one === 'connect')).toBe(
        true,
      )
    }
    for (let key = 0; key < 3; key += 1) {
      expect(bench.services.breakers.cell(breakerKey(NAME, key)).resting).toBe(false)
      expect(breakerOf(second, key).admit()).toBe(true)
    }
  })

  test('one of which is slow: the other answers', async () => {
    open({}, { upstream: { headersMs: 150 } })
    first.behave({ hangBeforeHeaders: true })
    expect(new Set(await ask(12))).toEqual(new Set([200]))
    expect(second.requests).toHaveLength(12)
  })

  test('that fail are tried before other keys of the same host', async () => {
    const accessKeys = ['a', 'b'].map(secret => ({ secret, weight: 1 }))
    open({ accessKeys, hosts: [host(first, 1_000_000), host(second, 0.001)] })
    first.always(() => UPSTREAM_DOWN)
    await ask(5)
    expect(asked()).toEqual([5, 5])
  })

  test('all of which are dead: the client is told so once, as by one', async () => {
    open()
    await first.close()
    await second.close()
    const reply = await bench.call(CHAT, chat(NAME))
    expect(reply.status).toBe(502)
    expect(bench.records[0]!.attempts).toBe(2)
    for (let call = 0; call < 25; call += 1) await bench.call(CHAT, chat(NAME))
    const later = await bench.call(CHAT, chat(NAME))
    expect(later.status).toBe(503)
    expect(later.header('retry-after')).not.toBeNull()
  })

  test('are repeated in turns, those without a connection last', async () => {
    open({}, { listener: { maxRetries: 2 } })
    await first.close()
    second.always(() => UPSTREAM_DOWN)
    await bench.call(CHAT, chat(NAME))
    expect(second.requests).toHaveLength(3)
  })

  test('a fallback comes behind all of them', async () => {
    const hosts = [host(first), host(first, 1, { label: 'other', pathPrefix: '/other' })]
    bench = new Bench({
      providers: [
        provider(NAME, first.origin, { hosts, fallbacks: ['openai/gpt-4o-mini'] }),
        provider('openai/gpt-4o-mini', second.origin),
      ],
    })
    first.always(() => UPSTREAM_DOWN)
    expect(await ask(1)).toEqual([200])
    expect(asked()).toEqual([2, 1])
  })
})

describe('a key at several hosts', () => {
  const accessKeys = ['dead', 'alive'].map(secret => ({ secret, weight: 1 }))
  const refuseDead = (status: number) => (request: { header(name: string): string | null }) =>
    request.header('authorization') === 'Bearer dead'
      ? { status, headers: ['content-type', 'application/json'], body: '{"error":{"message":"no"}}' }
      : null
  const deadCalls = (upstream: FakeUpstream) =>
    upstream.requests.filter(request => request.header('authorization') === 'Bearer dead').length

  test('that one of them refuses rests at all, and the hosts do not', async () => {
    open({ accessKeys })
    first.always(refuseDead(401))
    second.always(refuseDead(401))
    expect(new Set(await ask(30))).toEqual(new Set([200]))
    expect(deadCalls(first) + deadCalls(second)).toBe(1)
    expect(first.requests.length).toBeGreaterThan(3)
    expect(second.requests.length).toBeGreaterThan(3)
  })

  test('that one of them limits rests there and is used at the others', async () => {
    open({ accessKeys: [accessKeys[0]!] })
    first.always(refuseDead(429))
    expect(new Set(await ask(20))).toEqual(new Set([200]))
    expect(asked()).toEqual([1, 20])
  })

  test('that is the only one is asked once, and its refusal is the gateway’s fault', async () => {
    open({ accessKeys: [accessKeys[0]!] })
    first.always(refuseDead(401))
    second.always(refuseDead(401))
    const reply = await bench.call(CHAT, chat(NAME))
    expect(reply.status).toBe(502)
    expect(asked()[0] + asked()[1]).toBe(1)
  })
})

test('what a caller leaves at a provider is looked for where it was left', async () => {
  open()
  for (let call = 0; call < 10; call += 1) {
    const { sink, reply } = bench.open('GET', '/v1/files/file-1', [])
    if (sink.bodyMode === 'whole') sink.body(new Uint8Array(0))
    await reply.done
  }
  expect(asked()).toEqual([10, 0])
})

describe('a wildcard', () => {
  const wildcard = (origin: string) => provider('openai/*', origin, { model: '*', wildcardPrefix: 'openai' })

  test('keeps serving its other models when one of them fails', async () => {
    bench = new Bench({ providers: [wildcard(first.origin)] })
    first.always(request => ((request.json() as { model: string }).model === 'broken' ? UPSTREAM_DOWN : null))
    expect(new Set(await ask(10, 'openai/broken'))).toEqual(new Set([502]))
    expect(await ask(1, 'openai/broken')).toEqual([503])
    expect(new Set(await ask(20, 'openai/gpt-4o'))).toEqual(new Set([200]))
    expect(first.requests).toHaveLength(30)
  })

  test('keeps serving when callers invent models that do not exist', async () => {
    bench = new Bench({ providers: [wildcard(first.origin)] })
    first.always(request =>
      (request.json() as { model: string }).model === 'gpt-4o'
        ? null
        : {
            status: 404,
            headers: ['content-type', 'application/json'],
            body: '{"error":{"message":"no such model","code":"model_not_found"}}',
          },
    )
    for (let name = 0; name < 40; name += 1) await ask(1, `openai/invented-${name}`)
    expect(await ask(1, 'openai/gpt-4o')).toEqual([200])
    expect(bench.services.breakers.modelTroubles(['openai/*\n0'])).toEqual([])
  })
})
