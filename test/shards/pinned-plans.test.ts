// A plan lives as long as its last exchange, and no longer.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Bench, chat, provider } from '../gateway/harness.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import type { Plan } from '../../src/common/config/index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream({ behaviour: { frames: 60, delayBetweenFramesMs: 20 } })
})
afterEach(async () => {
  await bench.close()
  await upstream.close()
})

/** A plan of its own, known to the caller only by what does not keep it alive. */
function usePlan(hash: string): WeakRef<Plan> {
  const model = provider('openai/gpt-4o', upstream.origin, { model: `model-${hash}` })
  const plan = structuredClone({ ...base, hash: hash.repeat(64), providers: [model] })
  bench.engine.usePlan(plan)
  return new WeakRef(plan)
}

let base: Plan

async function gone(plan: WeakRef<Plan>): Promise<boolean> {
  for (let look = 0; look < 20; look += 1) {
    // A WeakRef holds what it showed until the turn ends.
    await new Promise(done => setTimeout(done, 5))
    collectGarbage()
    if (plan.deref() === undefined) return true
  }
  return false
}

test('a stream across three reloads keeps its own plan to its end, and only its own', async () => {
  bench = new Bench({
    providers: [provider('openai/gpt-4o', upstream.origin)],
    listener: { timeoutMs: 30_000 },
  })
  base = {
    ...(bench.engine as unknown as { view: { plan: Plan } }).view.plan,
  }
  const first = usePlan('a')
  const streaming = bench.send('/v1/chat/completions', chat('openai/gpt-4o', { stream: true })).reply
  while (streaming.pieces.length === 0) await new Promise(done => setTimeout(done, 5))
  const [second, third] = [usePlan('b'), usePlan('c')]
  // An exchange that came and went in between holds nothing.
  upstream.behave({ frames: 1 })
  const short = await bench.call('/v1/chat/completions', chat('openai/gpt-4o'))
  expect(short.header('x-gateway-plan')).toBe('c'.repeat(12))
  usePlan('d')

  expect(await gone(second)).toBe(true)
  expect(await gone(third)).toBe(true)
  expect(first.deref(), 'the plan of the running stream').toBeDefined()
  expect(streaming.ending).toBeNull()

  await streaming.done
  expect(streaming.header('x-gateway-plan')).toBe('a'.repeat(12))
  expect(streaming.text.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(upstream.requests.map(sent => sent.json().model)).toEqual(['model-a', 'model-c'])
})

test('with its last exchange a plan is released', async () => {
  bench = new Bench({ providers: [provider('openai/gpt-4o', upstream.origin)] })
  base = { ...(bench.engine as unknown as { view: { plan: Plan } }).view.plan }
  upstream.behave({ frames: 5, delayBetweenFramesMs: 10 })
  const first = usePlan('a')
  const replies = [0, 1].map(() =>
    bench.call('/v1/chat/completions', chat('openai/gpt-4o', { stream: true })),
  )
  usePlan('b')
  for (const reply of await Promise.all(replies)) {
    expect(reply.header('x-gateway-plan')).toBe('a'.repeat(12))
  }
  expect(await gone(first)).toBe(true)
})
