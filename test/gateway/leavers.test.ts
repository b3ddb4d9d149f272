// Ten thousand clients that leave, at every phase of an exchange: no breaker opens, pools are whole, nothing is left
// running, budgets are as they were, and callers that stay are served all the while.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { breakersOf, counted } from './counted.ts'
import { Handles } from './handles.ts'
import { Bench, chat, type EngineOptions, provider, type Sent } from './harness.ts'

const CHAT = '/v1/chat/completions'
const LEAVERS = 10_000
/** Leavers at once; fewer than may wait for a connection. */
const WAVE = 500
const SOCKETS = 64
const LONG_MS = 60_000
const LONG = { connectMs: LONG_MS, headersMs: LONG_MS, firstByteMs: LONG_MS, betweenBytesMs: LONG_MS }
/** In the prompt of those who stay. */
const STAYS = 'please'

const handles = new Handles()

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream({ record: false })
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  await handles.noneLeft()
})

function open(options: Partial<EngineOptions> = {}): void {
  bench = new Bench({
    providers: [provider('openai/gpt-4o', upstream.origin)],
    upstream: LONG,
    client: { connectionsMax: SOCKETS },
    ...options,
    listener: { timeoutMs: LONG_MS, ...options.listener },
  })
}

function ask(at: number): Sent {
  return at % 2 === 0 ? askStreamed() : bench.send(CHAT, chat('openai/gpt-4o'))
}

function askStreamed(): Sent {
  return bench.send(CHAT, chat('openai/gpt-4o', { stream: true }))
}

async function staysFor(model = 'openai/gpt-4o'): Promise<void> {
  const body = chat(model, { messages: [{ role: 'user', content: `${STAYS} one two three` }] })
  const reply = await bench.call(CHAT, body)
  expect(reply.status, reply.text).toBe(200)
  expect(reply.text).toContain('three')
}

/** Waves of callers who all leave once `there` says that they have got as far as the phase. */
async function leave(
  there: (wave: readonly Sent[], leftBefore: number) => boolean,
  wave: number,
  asked: (at: number) => Sent = ask,
): Promise<void> {
  for (let left = 0; left < LEAVERS; left += wave) {
    const sent = Array.from({ length: wave }, (_, at) => asked(at))
    await until('the wave is where it leaves', () => there(sent, left), 20_000)
    const staying = left % (wave * 5) === 0 ? staysFor() : null
    for (const { sink } of sent) sink.gone()
    await staying
    expect(bench.records.every(({ outcome }) => outcome === 'client-closed' || outcome === 'ok')).toBe(true)
    bench.records.length = 0
  }
}

async function nothingIsLeft(): Promise<void> {
  expect(bench.engine.active).toBe(0)
  expect(bench.bugs).toEqual([])
  for (const cell of bench.services.breakers.known().values()) {
    expect(cell.facts()).toEqual({ state: 'closed', openings: 0, restMs: 0, waitMs: 0 })
  }
  expect(breakersOf(bench)).toEqual({})
  // In the books nobody failed, and a limit is one because the upstream said so.
  const tries = Object.keys(counted(bench)).filter(line => line.startsWith('tries '))
  const results = tries.map(line => line.split(' ')[2]!)
  expect(results.filter(result => !['ok', 'client_closed', 'limited'].includes(result))).toEqual([])
  await staysFor()
  await until('the pools are whole', () =>
    bench.services.upstream.pools().every(({ busy, connecting, queued }) => busy + connecting + queued === 0),
  )
}

function facts(name: 'busy' | 'connecting' | 'queued'): number {
  return bench.services.upstream.pools().reduce((sum, pool) => sum + pool[name], 0)
}

function misbehave(how: Parameters<FakeUpstream['behave']>[0]): void {
  upstream.behave(how)
  // Those who stay get a sound reply whatever the rest gets.
  upstream.always(request =>
    request.text().includes(STAYS)
      ? {
          headers: ['content-type', 'application/json'],
          body: JSON.stringify({
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'gpt-4o',
            choices: [
              { index: 0, message: { role: 'assistant', content: 'one two three' }, finish_reason: 'stop' },
            ],
          }),
          behaviour: {
            hangBeforeHeaders: false,
            hangAfterFrames: -1,
            neverEnding: false,
            delayBetweenFramesMs: 0,
          },
        }
      : null,
  )
}

describe(`${LEAVERS} leavers`, { timeout: 60_000 }, () => {
  test('in the queue', async () => {
    open()
    misbehave({ hangBeforeHeaders: true })
    await leave(() => facts('queued') >= WAVE - SOCKETS, WAVE)
    await nothingIsLeft()
  })

  test('while connecting', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer(socket => {
      sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
      socket.resume()
    })
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    open({
      providers: [
        provider('openai/gpt-4o', `https://127.0.0.1:${port}`),
        provider('openai/sound', upstream.origin),
      ],
    })
    for (let left = 0; left < LEAVERS; left += WAVE) {
      const sent = Array.from({ length: WAVE }, (_, at) => ask(at))
      await until('all connections are being opened', () => facts('connecting') === SOCKETS)
      for (const { sink } of sent) sink.gone()
      await staysFor('openai/sound')
    }
    expect(bench.engine.active).toBe(0)
    for (const cell of bench.services.breakers.known().values()) expect(cell.facts().state).toBe('closed')
    await until('no connection is being opened', () => facts('connecting') + facts('queued') === 0)
    await until('the upstream sees nobody', () => sockets.size === 0)
    await new Promise(resolve => silent.close(resolve))
  })

  test('before the head', async () => {
    open()
    misbehave({ hangBeforeHeaders: true })
    let seen = 0
    await leave(() => {
      const there = upstream.requestsEver - seen >= SOCKETS - 1
      if (there) seen = upstream.requestsEver
      return there
    }, SOCKETS - 1)
    await nothingIsLeft()
  })

  test('before content', async () => {
    // With somebody else to ask, the frames before content wait with us.
    open({
      providers: [
        provider('openai/gpt-4o', upstream.origin, { fallbacks: ['openai/other'] }),
        provider('openai/other', upstream.origin),
      ],
    })
    misbehave({ hangAfterFrames: 1 })
    let seen = 0
    // Whole replies have no frames to hang between.
    await leave(
      () => {
        const there = upstream.requestsEver - seen >= SOCKETS - 1 && facts('busy') >= SOCKETS - 1
        if (there) seen = upstream.requestsEver
        return there
      },
      SOCKETS - 1,
      askStreamed,
    )
    await nothingIsLeft()
  })

  test('in content', async () => {
    open()
    misbehave({ neverEnding: true, delayBetweenFramesMs: 20, delayBeforeBodyMs: 0 })
    await leave(sent => sent.every(({ reply }, at) => at % 2 === 1 || reply.pieces.length > 0), SOCKETS - 1)
    await nothingIsLeft()
  })

  test('between tries, whose repeats are not charged to those who stay', async () => {
    open({ listener: { maxRetries: 2 } })
    const limited = {
      status: 429,
      headers: ['content-type', 'application/json', 'retry-after', '9'],
      body: '{"error":{"message":"slow down"}}',
    }
    let failures = 0
    upstream.always(request => {
      if (!request.text().includes(STAYS)) return limited
      failures += 1
      return failures % 2 === 1 ? { ...limited, headers: ['retry-after-ms', '1'] } : null
    })
    let calls = 0
    for (let left = 0; left < LEAVERS; left += WAVE) {
      const sent = Array.from({ length: WAVE }, (_, at) => ask(at))
      calls += WAVE
      await until('every first try failed', () => upstream.requestsEver >= calls && facts('busy') === 0)
      for (const { reply, sink } of sent) {
        if (reply.ending === null) sink.gone()
      }
      await staysFor()
      calls += 2
      bench.records.length = 0
    }
    expect(upstream.requestsEver).toBe(calls)
    await nothingIsLeft()
  })
})

describe('the probe of a breaker that was open', () => {
  let aheadMs = 0
  const clock = {
    monotonicMs: () => performance.now() + aheadMs,
    epochMs: () => Date.now() + aheadMs,
  }

  beforeEach(() => {
    aheadMs = 0
  })

  /** Brings the breaker to where the next call is its one probe. */
  function halfOpen(): void {
    const cell = bench.services.breakers.cell('openai/gpt-4o\n0')
    for (let call = 0; call < 10; call += 1) cell.failed()
    expect(cell.facts().state).toBe('open')
    aheadMs += 5_000
    expect(cell.facts().state).toBe('half-open')
  }

  test('is given back by a client that leaves while its repeat waits', async () => {
    open({ listener: { maxRetries: 2 }, clock })
    upstream.script({
      status: 429,
      headers: ['retry-after', '9'],
      body: '{}',
      behaviour: { delayBeforeHeadersMs: 50 },
    })
    const { sink } = ask(1)
    halfOpen()
    await until('the first try failed', () => upstream.requestsEver === 1 && facts('busy') === 0)
    sink.gone()
    await staysFor()
  })

  test('is given back by a request that its provider cannot be asked', async () => {
    open({
      providers: [provider('openai/gpt-4o', upstream.origin, { dialects: ['anthropic-messages'] })],
      clock,
    })
    halfOpen()
    const messages = [{ role: 'nobody', content: 'one' }]
    expect((await bench.call(CHAT, chat('openai/gpt-4o', { messages }))).status).toBe(400)
    await staysFor()
  })
})
