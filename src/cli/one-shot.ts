// A gateway for one question: this configuration on a port of its own, inside the command's process, gone afterwards.
// Nothing else starts: no admin listener, no log, one shard.

import { chooseAcceptor, type DemoThread, spawnShard, startDemoThread } from '../../workers/boot.ts'
import { systemClock } from '../common/clock.ts'
import { type LoadedPlan, withDemo } from '../common/config/index.ts'
import { Supervisor } from '../shards/index.ts'
import { Log } from '../telemetry/index.ts'
import { newBreakerMemory } from '../upstream/index.ts'

export interface OneShot {
  readonly origin: string
  end(): Promise<void>
}

/** Whole seconds of a slow model fit. */
const TIMEOUT_MS = 120_000

export async function startOneShot(loaded: LoadedPlan): Promise<OneShot> {
  let demo: DemoThread | null = null
  let { plan } = loaded
  if (loaded.demoWanted) {
    demo = await startDemoThread(() => {})
    plan = withDemo(plan, demo.origin)
  }
  const listener = {
    name: 'test',
    type: 'model',
    address: '127.0.0.1',
    port: 0,
    timeoutMs: TIMEOUT_MS,
    maxRetries: 0,
    tls: null,
  } as const
  const { kind, sharing } = await chooseAcceptor(plan.server)
  const supervisor = new Supervisor({
    plan: { ...plan, listeners: [listener] },
    shards: 1,
    acceptor: kind,
    exclusive: !sharing,
    spawn: spawnShard,
    shared: newBreakerMemory(),
    logLevel: 'silent',
    log: new Log('silent', systemClock, {}, () => {}),
    writeLines: (_text, _lines, taken) => taken(),
    clock: systemClock,
  })
  const end = async (): Promise<void> => {
    await supervisor.endNow()
    await demo?.end()
  }
  try {
    await supervisor.start()
  } catch (error) {
    await end()
    throw error
  }
  return { origin: `http://127.0.0.1:${supervisor.listeners[0]!.port}`, end }
}
