// What a shard's memory holds of secrets, looked up in a snapshot of its heap: the credentials of the providers it calls
// and of the proxy on the way, and nobody else's; those of a plan that was left are gone.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { loadPlan, type Plan } from '../../src/common/config/index.ts'
import { callersPlan } from '../../src/common/config/secret.ts'
import type { FromShard, ShardStart, ToShard } from '../../src/shards/messages.ts'
import { Pulse } from '../../src/shards/pulse.ts'
import { PlanTurn } from '../../src/shards/turn.ts'
import { newBreakerMemory } from '../../src/upstream/index.ts'

const ENTRY = pathToFileURL(resolve(import.meta.dirname, '../../dist/workers/shard.js'))
const folder = mkdtempSync(join(tmpdir(), 'sluice-heap-'))

let worker: Worker | null = null
afterEach(async () => {
  worker?.postMessage({ kind: 'end' } satisfies ToShard)
  await new Promise(done => worker?.once('exit', done))
  rmSync(folder, { recursive: true, force: true })
})

/** Texts that stand nowhere else, so that they can be looked for. */
const OF = {
  provider: 'zqx-of-the-provider-one',
  next: 'zqx-of-the-provider-two',
  admin: 'zqx-of-the-admin-listener',
  database: 'zqx-of-the-database',
  redis: 'zqx-of-redis',
  filter: 'zqx-of-a-prompt-target',
  traces: 'zqx-of-the-receiver-of-traces',
  proxy: 'zqx-of-the-proxy',
}

function planWith(key: string, epoch: number): Plan {
  const file = join(folder, 'config.yaml')
  writeFileSync(
    file,
    `version: v0.4.0
listeners: [{ type: model, name: llm, address: 127.0.0.1, port: 0 }]
model_providers: [{ model: openai/gpt-4o, base_url: "http://127.0.0.1:9", access_key: ${key} }]
endpoints: { api: { endpoint: "127.0.0.1:9" } }
prompt_targets:
  - { name: f, description: F., endpoint: { name: api, path: /, http_headers: { authorization: Bearer ${OF.filter} } } }
state_storage: { type: postgres, connection_string: "postgres://u:${OF.database}@127.0.0.1/d" }
limits: { store: { type: redis, url: "redis://:${OF.redis}@127.0.0.1" } }
tracing: { exporters: [{ type: posthog, url: "http://127.0.0.1:9", api_key: ${OF.traces} }] }
admin: { port: 0, token: ${OF.admin} }
`,
  )
  return {
    ...loadPlan({ file, cwd: folder, env: { https_proxy: `http://u:${OF.proxy}@127.0.0.1:9` } }).plan,
    epoch,
  }
}

function answer(kind: FromShard['kind']): Promise<void> {
  return new Promise((done, fail) => {
    worker!.on('error', fail)
    worker!.on('message', (message: FromShard) => {
      if (message.kind === kind) done()
    })
  })
}

async function heap(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of await worker!.getHeapSnapshot()) pieces.push(Buffer.from(piece as Uint8Array))
  return Buffer.concat(pieces).toString('latin1')
}

const heldIn = (text: string) => Object.keys(OF).filter(name => text.includes(OF[name as keyof typeof OF]))

test('a shard holds the credentials of the providers in use and of the proxy, and no other secret', {
  timeout: 60_000,
}, async () => {
  const turn = new PlanTurn()
  const first = planWith(OF.provider, 1)
  expect(heldIn(JSON.stringify(structuredClone(first))).sort()).toEqual(
    Object.keys(OF)
      .filter(name => name !== 'next')
      .sort(),
  )
  const start: ShardStart = {
    shard: 1,
    plan: callersPlan(first),
    acceptor: 'node',
    exclusive: true,
    logLevel: 'error',
    pulse: new Pulse().memory,
    turn: turn.memory,
    shared: newBreakerMemory(),
  }
  worker = new Worker(ENTRY, { workerData: start, env: {} })
  await answer('ready')
  expect(heldIn(await heap())).toEqual(['provider', 'proxy'])

  const post = (message: ToShard): void => worker!.postMessage(message)
  const prepared = answer('prepared')
  post({ kind: 'prepare', change: 1, plan: callersPlan(planWith(OF.next, 2)) })
  await prepared
  turn.turnTo(1)
  const switched = answer('switched')
  post({ kind: 'switch', change: 1 })
  await switched
  expect(heldIn(await heap())).toEqual(['next', 'proxy'])
})
