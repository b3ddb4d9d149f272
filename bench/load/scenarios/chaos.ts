// A soak: 64 callers of all dialects in front of three upstreams that fail at random by their seeds. Not a measurement
// but a judgement: nothing wrong, nothing invented, nothing unexplained, memory flat, and the books equal to what the
// upstreams counted. Any breach fails the run.

import { Agent } from 'node:http'
import { ask, type Answer, type Verdict, type Wish } from '../chaos/caller.ts'
import { type Booked, OwnGateway, total } from '../chaos/gateway.ts'
import { pick, type Random, seeded } from '../chaos/random.ts'
import { Wrecker } from '../chaos/wrecker.ts'
import { pause } from '../drive.ts'
import { rssKb } from '../measure/proc.ts'
import type { Job, JobResult, Measures, Scenario } from './scenario.ts'

const CALLERS = 64
/** Pause between two calls of a caller: 64 of them without one would measure the machine. */
const THINK_MS = 20
const SECONDS = 600
const SECONDS_QUICK = 20
const FAULT_SHARE = 0.2
const SEED = 20_261_126
const RSS_EVERY_MS = 1_000
const MB_KB = 1024
const MINUTE_MS = 60_000
/** The log is written in batches; the last one gets this long. */
const BOOKS_MS = 1_500
const NANO_USD = 1e-9
const EXAMPLES_MAX = 5

const DIALECTS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'bedrock-converse',
  'gemini-generate',
] as const
const WORDS = ['one', 'two', 'three', 'größer', '数字', '"quoted"', 'back\\slash', '<tag>', '🙂', '{brace}']

/** US dollars per million tokens. */
const PRICES = {
  'openai/gpt-4o': { input: 3, output: 12 },
  'anthropic/claude-sonnet-4-5': { input: 5, output: 20 },
  'gemini/gemini-2.5-flash': { input: 1, output: 4 },
} as const
const MODELS = Object.keys(PRICES) as (keyof typeof PRICES)[]
const ROOTS: Record<keyof typeof PRICES, string> = {
  'openai/gpt-4o': '/v1',
  'anthropic/claude-sonnet-4-5': '',
  'gemini/gemini-2.5-flash': '/v1beta',
}

class Soak {
  readonly gateway: OwnGateway
  readonly wreckers: readonly Wrecker[]
  readonly verdicts: Record<Verdict, number> = { ok: 0, told: 0, wrong: 0, invented: 0, silent: 0 }
  readonly examples: string[] = []
  readonly rss: [ms: number, kb: number][] = []
  private readonly wishes: Map<string, { readonly wish: Wish; readonly answer: Answer }> = new Map()
  private asked = 0

  constructor(gateway: OwnGateway, wreckers: readonly Wrecker[]) {
    this.gateway = gateway
    this.wreckers = wreckers
  }

  async run(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1_000
    const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
    const watch = setInterval(() => this.sampleRss(), RSS_EVERY_MS)
    await Promise.all(
      Array.from({ length: CALLERS }, (_, at) => this.caller(agent, seeded(SEED + at), endMs)),
    )
    clearInterval(watch)
    agent.destroy()
    await pause(BOOKS_MS)
  }

  private async caller(agent: Agent, random: Random, endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      const wish = this.wish(random)
      const answer = await ask(this.gateway.port, agent, wish)
      this.verdicts[answer.verdict] += 1
      this.wishes.set(wish.id, { wish, answer })
      if (answer.verdict !== 'ok' && answer.verdict !== 'told') this.example(answer.verdict, wish, answer)
      await pause(THINK_MS * random() * 2)
    }
  }

  private wish(random: Random): Wish {
    this.asked += 1
    const id = `chaos-${this.asked}`
    const words = Array.from({ length: 3 + Math.floor(random() * 30) }, () => pick(WORDS, random))
    return {
      id,
      dialect: pick(DIALECTS, random),
      streaming: random() < 0.7,
      model: pick(MODELS, random),
      text: `${id} ${words.join(' ')}`,
    }
  }

  private example(what: string, { id, dialect, streaming, model }: Wish, { status, shown }: Answer): void {
    if (this.examples.length >= EXAMPLES_MAX) return
    this.examples.push(
      `${what}: ${id} ${dialect}${streaming ? ' stream' : ''} of ${model}, ${status}: ${shown}`,
    )
  }

  private sampleRss(): void {
    this.rss.push([performance.now(), rssKb([this.gateway.pid])])
  }

  /** Errors that no fault of an upstream and no open breaker accounts for. */
  unexplained(): number {
    let count = 0
    for (const [id, { wish, answer }] of this.wishes) {
      if (answer.verdict !== 'told') continue
      const faults = this.wreckers.reduce((sum, { served }) => sum + (served.get(id)?.faults ?? 0), 0)
      if (faults > 0 || /given time to recover|just now and rests/.test(answer.shown)) continue
      count += 1
      this.example('unexplained', wish, answer)
    }
    return count
  }

  /** Exchanges whose line in the log says something else than the upstreams saw and the caller got. */
  misbooked(): { attempts: number; tokens: number; cost: number; missing: number } {
    const found = { attempts: 0, tokens: 0, cost: 0, missing: 0 }
    for (const [id, { wish, answer }] of this.wishes) {
      const booked = this.gateway.booked.get(id)
      if (booked === undefined) {
        found.missing += 1
        continue
      }
      const calls = this.wreckers.reduce((sum, { served }) => sum + (served.get(id)?.calls ?? 0), 0)
      // A request that met a dead kept connection was sent once more within its attempt.
      if (booked.attempts > calls) {
        found.attempts += 1
        this.example(`booked ${booked.attempts} attempts of ${calls}`, wish, answer)
      }
      if (answer.verdict === 'ok') this.compareUsage(wish, answer, booked, found)
    }
    return found
  }

  private compareUsage(
    wish: Wish,
    answer: Answer,
    booked: Booked,
    found: { tokens: number; cost: number },
  ): void {
    const input = wish.text.split(' ').length
    const output = input + 1
    if (booked.inputTokens !== input || booked.outputTokens !== output || booked.usagePartial === true) {
      found.tokens += 1
      this.example(
        `booked ${booked.inputTokens} and ${booked.outputTokens} tokens of ${input} and ${output}`,
        wish,
        answer,
      )
    }
    const price = PRICES[booked.provider as keyof typeof PRICES]
    const usd = (input * price.input + output * price.output) / 1e6
    if (Math.abs((booked.costUsd ?? 0) - usd) > NANO_USD) found.cost += 1
  }

  /** Growth of resident memory over the last two thirds, by least squares. */
  slopeMbPerMinute(): number | null {
    const points = this.rss.slice(Math.floor(this.rss.length / 3))
    if (points.length < 3) return null
    const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length
    const [x, y] = [mean(0), mean(1)]
    const covariance = points.reduce((sum, [ms, kb]) => sum + (ms - x) * (kb - y), 0)
    const variance = points.reduce((sum, [ms]) => sum + (ms - x) ** 2, 0)
    return ((covariance / variance) * MINUTE_MS) / MB_KB
  }
}

async function run(job: Job): Promise<JobResult> {
  const wreckers = await Promise.all(MODELS.map((_, at) => Wrecker.start(SEED + 1_000 + at, FAULT_SHARE)))
  const gateway = await OwnGateway.start(providersFor(wreckers), 'timeout: 20s, max_retries: 1')
  try {
    const soak = new Soak(gateway, wreckers)
    await soak.run(job.settings.secondsAsked ?? (job.settings.quick ? SECONDS_QUICK : SECONDS))
    return await report(soak)
  } finally {
    await gateway.stop()
    await Promise.all(wreckers.map(({ upstream }) => upstream.close()))
  }
}

function providersFor(wreckers: readonly Wrecker[]): string {
  return MODELS.map((model, at) => {
    const { input, output } = PRICES[model]
    const others = MODELS.filter(other => other !== model).join(', ')
    const url = `${wreckers[at]!.upstream.origin}${ROOTS[model]}`
    return `  - { model: ${model}, access_key: sk-chaos, base_url: "${url}", fallbacks: [${others}], prices: { input: ${input}, output: ${output} } }`
  }).join('\n')
}

async function report(soak: Soak): Promise<JobResult> {
  const { gateway, verdicts, wreckers } = soak
  const samples = await gateway.samples()
  const counted = total(samples, 'sluice_upstream_attempts_total', ({ result }) => result !== 'connect')
  const unconnected = total(samples, 'sluice_upstream_attempts_total', ({ result }) => result === 'connect')
  // Sent again on a fresh connection because a kept one had died; whether the upstream had read the first copy by then
  // only it knows, so its count lies between.
  const resent = total(samples, 'sluice_upstream_resent_total')
  const calls = wreckers.reduce((sum, wrecker) => sum + wrecker.calls, 0)
  const lines = [...gateway.booked.values()]
  const costLines = lines.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0)
  const costCounted = total(samples, 'sluice_llm_cost_usd_total')
  const booked = soak.misbooked()
  const measures: Measures = {
    requests: Object.values(verdicts).reduce((sum, count) => sum + count),
    ok: verdicts.ok,
    told: verdicts.told,
    retried: total(samples, 'sluice_upstream_retries_total'),
    wrong: verdicts.wrong,
    invented: verdicts.invented,
    unexplained: verdicts.silent + soak.unexplained(),
    missing: booked.missing,
    attemptsOff:
      Math.max(0, counted - calls, calls - counted - resent) + Math.max(0, booked.attempts - unconnected),
    tokensOff: booked.tokens,
    costOff: booked.cost + (Math.abs(costLines - costCounted) > 1e-6 ? 1 : 0),
    bugs: gateway.bugs.length,
    slope: soak.slopeMbPerMinute(),
  }
  const breaches = BREACHES.filter(key => (measures[key] ?? 0) > 0)
  if (breaches.length > 0) {
    const figures = breaches.map(key => `${key} ${measures[key]}`).join(', ')
    throw new Error(
      [
        figures,
        `of ${measures['requests']}; ${counted} calls booked, ${resent} sent again, ${calls} seen`,
        ...soak.examples,
        ...gateway.bugs.slice(0, 1),
      ].join('\n  '),
    )
  }
  return { measures, reason: '' }
}

/** Must all be zero. */
const BREACHES = [
  'wrong',
  'invented',
  'unexplained',
  'missing',
  'attemptsOff',
  'tokensOff',
  'costOff',
  'bugs',
] as const

function column(key: string, title: string, unit = '', digits = 0) {
  return { key, title, unit, digits, ratioTo: null }
}

export const chaos: Scenario = {
  name: 'chaos',
  title: `soak: ${CALLERS} callers, three upstreams that fail at random`,
  columns: [
    column('requests', 'requests'),
    column('ok', 'answered'),
    column('told', 'told of an error'),
    column('retried', 'tries after a failed one'),
    column('wrong', 'wrong bytes', 'replies'),
    column('invented', 'invented endings', 'replies'),
    column('unexplained', 'unexplained errors'),
    column('attemptsOff', 'attempts off the books'),
    column('tokensOff', 'token counts off'),
    column('costOff', 'costs off'),
    column('slope', 'memory slope', 'MB/min', 2),
  ],
  own: true,
  msMax: (SECONDS + 120) * 1_000,
  run,
}
