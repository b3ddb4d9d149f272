// What an outage costs those who do not notice it: the latency that a dead first upstream adds and the share of the
// traffic that still gets through, and how much of a 5 % error rate a client sees when there is a second upstream.

import { Agent } from 'node:http'
import { ask, type Wish } from '../chaos/caller.ts'
import { OwnGateway } from '../chaos/gateway.ts'
import { type Random, seeded } from '../chaos/random.ts'
import { FAKE_DIALECTS, startFakeUpstream } from '../../../test/support/fake-upstream/index.ts'
import { freePort } from '../children.ts'
import { closedLoop, type Loaded } from '../drive.ts'
import { median } from '../report/result.ts'
import { call, ERRORS, type Job, type JobResult, type Scenario, WRONG, windowOf } from './scenario.ts'

const ERROR_SHARE = 0.05
const CHAT = { kind: 'chat', waitMs: 0 } as const
/** Enough for a rate of a few in ten thousand to show. */
const ASKED = 20_000
const ASKED_QUICK = 2_000
const ASKERS = 32
const CONNECTIONS = 16
const TURNS = 5
const PERCENT = 100

async function run(job: Job): Promise<JobResult> {
  const deadPort = await freePort()
  const shaky = await startFakeUpstream({ record: false })
  const random: Random = seeded(job.settings.seed)
  const error = JSON.stringify(FAKE_DIALECTS['openai-chat'].errorReply(500, 'it failed'))
  shaky.always(() =>
    random() < ERROR_SHARE
      ? { status: 500, headers: ['content-type', 'application/json'], body: error }
      : null,
  )
  const alive = `http://127.0.0.1:${job.direct.port}/v1`
  const entry = (model: string, url: string, fallbacks = ''): string =>
    `  - { model: ${model}, access_key: sk-bench, base_url: "${url}"${fallbacks} }`
  const gateway = await OwnGateway.start(
    [
      entry('openai/alive', alive),
      entry('openai/dead-first', `http://127.0.0.1:${deadPort}/v1`, ', fallbacks: [openai/alive]'),
      entry('openai/shaky', `${shaky.origin}/v1`),
      entry('openai/shaky-first', `${shaky.origin}/v1`, ', fallbacks: [openai/shaky]'),
    ].join('\n'),
    'timeout: 20s, max_retries: 0',
  )
  try {
    const load = (model: string, connections: number): Promise<Loaded> => {
      const peer = { ...job.peer, port: gateway.port, path: '/v1/chat/completions', headers: {}, model }
      return closedLoop(call({ ...peer, check: 'bytes' }, CHAT), connections, {
        ...windowOf(job),
        pids: [gateway.pid],
      })
    }
    await load('openai/alive', CONNECTIONS)
    // Both at once, so that they share every moment of the machine, and the median over some turns: a shared machine
    // drifts more in a second than an outage costs.
    const turns: { readonly sound: Loaded; readonly failing: Loaded }[] = []
    for (let turn = 0; turn < (job.settings.quick ? 1 : TURNS); turn += 1) {
      const both = ['openai/alive', 'openai/dead-first'].map(model => load(model, CONNECTIONS / 2))
      const [sound, failing] = await Promise.all(both)
      turns.push({ sound: sound!, failing: failing! })
    }
    const all = turns.flatMap(({ sound, failing }) => [sound, failing])
    const added = (q: number): number | null =>
      median(turns.map(({ sound, failing }) => failing.latency.quantile(q)! - sound.latency.quantile(q)!))
    const rate = ({ requests, seconds }: Loaded): number => requests / seconds
    const asked = job.settings.quick ? ASKED_QUICK : ASKED
    const seenAlone = await visible(gateway.port, 'openai/shaky', asked)
    const seen = await visible(gateway.port, 'openai/shaky-first', asked)
    return {
      measures: {
        p50Added: added(0.5),
        p99Added: added(0.99),
        goodput: median(turns.map(({ sound, failing }) => (rate(failing) / rate(sound)) * PERCENT)),
        visibleAlone: (seenAlone / asked) * PERCENT,
        visible: (seen / asked) * PERCENT,
        errors: all.reduce((sum, { errors }) => sum + errors, 0),
        wrong: all.reduce((sum, { wrong }) => sum + wrong, 0),
      },
      reason: all.find(({ reason }) => reason !== '')?.reason ?? '',
    }
  } finally {
    await gateway.stop()
    await shaky.close()
  }
}

/** Of `asked` calls, those that did not get their answer. */
async function visible(port: number, model: string, asked: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: ASKERS })
  let next = 0
  let failed = 0
  const askers = Array.from({ length: ASKERS }, async () => {
    while (next < asked) {
      next += 1
      const id = `${model.replace('/', '-')}-${next}`
      const wish: Wish = {
        id,
        dialect: 'openai-chat',
        streaming: next % 2 === 0,
        model,
        text: `${id} one two`,
      }
      if ((await ask(port, agent, wish)).verdict !== 'ok') failed += 1
    }
  })
  await Promise.all(askers)
  agent.destroy()
  return failed
}

function column(key: string, title: string, unit: string, digits: number) {
  return { key, title, unit, digits, ratioTo: null }
}

export const failover: Scenario = {
  name: 'failover',
  title: 'failover: the first of two upstreams is dead, or fails at 5 %',
  columns: [
    column('p50Added', 'added p50 by a dead one', 'ms', 3),
    column('p99Added', 'added p99 by a dead one', 'ms', 3),
    column('goodput', 'goodput beside a dead one', '%', 1),
    column('visibleAlone', 'errors seen, nobody else', '%', 2),
    column('visible', 'errors seen, with a second try', '%', 3),
    ERRORS,
    WRONG,
  ],
  own: true,
  run,
}
