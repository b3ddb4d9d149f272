import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Plan } from '../../src/common/config/index.ts'
import { ListenerSet } from '../../src/shards/listeners.ts'
import { FakeAcceptor, planOf } from './support.ts'

/** The native server closes what is silent for 10 s; it looks every 4 s. */
const NATIVE_SILENCE_MS_MAX = 14_000
const ENOUGH_MS = 16_000

let acceptors: FakeAcceptor[]
let listeners: ListenerSet
/** The port no acceptor can open. */
const BROKEN = 40_999

beforeEach(() => {
  vi.useFakeTimers()
  acceptors = []
  listeners = new ListenerSet(async listener => {
    const acceptor = new FakeAcceptor(listener, listener.port === BROKEN ? new Error('broken') : null)
    acceptors.push(acceptor)
    return acceptor
  }, false)
})

afterEach(() => {
  listeners.close()
  vi.useRealTimers()
})

async function use(plan: Plan): Promise<void> {
  await listeners.prepare(plan)
  listeners.commit()
}

/** The same port under another bound: the listener is opened anew. */
const first = planOf({ listeners: [{ port: 40_001 }] })
const second = { ...first, server: { ...first.server, idleMsMax: first.server.idleMsMax + 1 } }

test('a replaced listener is left to clients that no number counts, for as long as they may be silent', async () => {
  await use(first)
  await use(second)
  await vi.advanceTimersByTimeAsync(NATIVE_SILENCE_MS_MAX)
  expect(acceptors.map(({ state }) => state)).toEqual(['stopped', 'listening'])
  await vi.advanceTimersByTimeAsync(ENOUGH_MS - NATIVE_SILENCE_MS_MAX)
  expect(acceptors.map(({ state }) => state)).toEqual(['closed', 'listening'])
})

test('a request on a replaced listener starts its wait anew', async () => {
  await use(first)
  await use(second)
  await vi.advanceTimersByTimeAsync(10_000)
  acceptors[0]!.connections = 1
  await vi.advanceTimersByTimeAsync(60_000)
  expect(acceptors[0]!.state).toBe('stopped')
  acceptors[0]!.connections = 0
  await vi.advanceTimersByTimeAsync(NATIVE_SILENCE_MS_MAX)
  expect(acceptors[0]!.state).toBe('stopped')
  await vi.advanceTimersByTimeAsync(ENOUGH_MS - NATIVE_SILENCE_MS_MAX)
  expect(acceptors[0]!.state).toBe('closed')
})

test('a prepared listener that is forgotten cuts nobody who came to it over a shared port', async () => {
  await use(first)
  const bad = {
    ...second,
    listeners: [...second.listeners, { ...first.listeners[0]!, name: 'bad', port: BROKEN }],
  }
  await expect(listeners.prepare(bad)).rejects.toThrow('broken')
  await vi.advanceTimersByTimeAsync(NATIVE_SILENCE_MS_MAX)
  expect(acceptors.map(({ state }) => state)).toEqual(['listening', 'stopped', 'closed'])
  await vi.advanceTimersByTimeAsync(ENOUGH_MS - NATIVE_SILENCE_MS_MAX)
  expect(acceptors.map(({ state }) => state)).toEqual(['listening', 'closed', 'closed'])
})

test('what is left is closed at once when the shard ends', async () => {
  await use(first)
  await use(second)
  listeners.close()
  expect(acceptors.map(({ state }) => state)).toEqual(['closed', 'closed'])
})
