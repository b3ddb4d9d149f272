// Another plan while real threads serve real sockets: ports open and close, running replies keep what they began with.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { portSharing } from '../../src/acceptor/index.ts'
import { loadNative } from '../../src/acceptor/native.ts'
import { systemClock } from '../../src/common/clock.ts'
import { withDemo } from '../../src/common/config/index.ts'
import { type DemoServer, startDemo } from '../../src/demo/index.ts'
import { Supervisor, workerThread } from '../../src/shards/index.ts'
import { Log } from '../../src/telemetry/index.ts'
import { newBreakerMemory } from '../../src/upstream/index.ts'
import { freePort } from '../support/gateway.ts'
import { planOf, until } from './support.ts'

const SHARD = pathToFileURL(resolve(import.meta.dirname, '../../dist/workers/shard.js'))
/** The native server has no build for every runtime. */
const KINDS = (['uws', 'node'] as const).filter(kind => kind === 'node' || nativeLoads())

function nativeLoads(): boolean {
  try {
    return loadNative() !== null
  } catch {
    return false
  }
}

let demo: DemoServer | null = null
let supervisor: Supervisor | null = null
const lines: string[] = []

afterEach(async () => {
  await supervisor?.endNow()
  await demo?.close()
  lines.length = 0
})

async function models(port: number): Promise<string[]> {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/models`, { headers: { connection: 'close' } })
  const { data } = (await reply.json()) as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

function stream(port: number, words: number): Promise<string> {
  const content = Array.from({ length: words }, (_, at) => `word${at}`).join(' ')
  const body = { model: 'demo/echo', stream: true, messages: [{ role: 'user', content }] }
  return fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(reply => reply.text())
}

test.each(KINDS)(
  'a switch under load, with the %s acceptor',
  async kind => {
    demo = await startDemo()
    const [old, next] = [await freePort(), await freePort()]
    const sharing = portSharing(kind)
    supervisor = new Supervisor({
      plan: withDemo(planOf({ listeners: [{ port: old }], server: { drainMs: 20_000 } }), demo.origin),
      shards: sharing ? 2 : 1,
      acceptor: kind,
      exclusive: !sharing,
      spawn: start => workerThread(SHARD, start),
      shared: newBreakerMemory(),
      logLevel: 'info',
      log: new Log('info', systemClock, {}, line => lines.push(line)),
      writeLines: (text, _lines, taken) => {
        lines.push(text)
        taken()
      },
      clock: systemClock,
    })
    await supervisor.start()
    expect(await models(old)).toContain('demo/echo')
    const running = Array.from({ length: 4 }, () => stream(old, 60))
    const active = () => supervisor!.facts().reduce((total, shard) => total + shard.active, 0)
    await until(() => active() === 4, 'four streams run')

    const plan = planOf({ listeners: [{ name: 'next', port: next }], hash: 'b', server: { drainMs: 20_000 } })
    await supervisor.usePlan(plan)
    expect(await models(next)).not.toContain('demo/echo')
    await expect(models(old)).rejects.toThrow()
    expect(active()).toBe(4)
    for (const text of await Promise.all(running)) expect(text.endsWith('data: [DONE]\n\n')).toBe(true)

    // And back: a port that was given up can be taken again.
    await supervisor.usePlan(withDemo(planOf({ listeners: [{ port: old }], hash: 'c' }), demo.origin))
    expect(await models(old)).toContain('demo/echo')
    expect(supervisor.plan.epoch).toBe(3)
    expect(await supervisor.drain()).toBe(0)
    expect(lines.filter(line => /"level":"(?:error|warn)"/.test(line))).toEqual([])
  },
  60_000,
)
