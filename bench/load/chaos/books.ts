// What was asked, what was answered, what the upstreams counted and what the gateway booked, held against each other
// request by request and forgotten as soon as all four have spoken. Owns what counts as a breach.

import type { Answer, Verdict, Wish } from './caller.ts'
import { costUsd, ENTRIES, type Entry } from './entries.ts'
import { type Booked, total } from './gateway.ts'
import type { Sample } from '../measure/exposition.ts'
import type { Stalls } from './stalls.ts'
import type { Served, Wrecker } from './wrecker.ts'

/** An upstream may read a request after its caller has gone; by then it has. */
const SETTLE_MS = 3_000
/** Sums of floating-point dollars. */
const USD_SLACK = 1e-9
/** Of each kind of breach. */
const EXAMPLES_MAX = 2
/** Our own refusals, which an open breaker or a resting key explains. */
const RESTS = /given time to recover|just now and rests/
const LATE = /deadline\)/

interface Page {
  readonly wish: Wish
  answer: Answer | null
  booked: Booked | null
}

/** Sums over the lines of an entry. */
interface EntryBooks {
  inputTokens: number
  outputTokens: number
  costUsd: number
}

/** Must all be zero. */
export const BREACHES = [
  'wrong',
  'invented',
  'unexplained',
  'missing',
  'outcomesOff',
  'attemptsOff',
  'tokensOff',
  'costOff',
] as const
export type Breach = (typeof BREACHES)[number]

export class Books {
  readonly verdicts: Record<Verdict, number> = { ok: 0, told: 0, wrong: 0, invented: 0, silent: 0, left: 0 }
  readonly found: Record<Breach, number> = {
    wrong: 0,
    invented: 0,
    unexplained: 0,
    missing: 0,
    outcomesOff: 0,
    attemptsOff: 0,
    tokensOff: 0,
    costOff: 0,
  }
  readonly examples: string[] = []
  /** Client dialect, upstream dialect and form of every good answer. */
  readonly pairs: Set<string> = new Set()
  /** Answers whose bytes were compared with those sent. */
  compared = 0
  /** Tries that no upstream saw although their callers stayed: no connection. */
  unseen = 0
  /** Calls that no try was booked for: sent again. */
  again = 0
  /** Tries that no upstream saw because their callers had left. */
  leftUnseen = 0
  /** What the exchange in hand was dealt, for an example. */
  private dealt: readonly string[] = []
  private readonly wreckers: readonly Wrecker[]
  private readonly pages: Map<string, Page> = new Map()
  private readonly entries: Map<string, EntryBooks> = new Map()

  /** Time-outs that a stall of this process explains and nothing else does. */
  stalled = 0
  private readonly stalls: Stalls

  constructor(wreckers: readonly Wrecker[], stalls: Stalls) {
    this.wreckers = wreckers
    this.stalls = stalls
    for (const { name } of ENTRIES) {
      this.entries.set(name, { inputTokens: 0, outputTokens: 0, costUsd: 0 })
    }
  }

  asked(wish: Wish): void {
    this.pages.set(wish.id, { wish, answer: null, booked: null })
  }

  answered(wish: Wish, answer: Answer): void {
    this.pages.get(wish.id)!.answer = answer
  }

  booked(booked: Booked): void {
    const page = this.pages.get(booked.requestId)
    if (page === undefined || page.booked !== null) {
      this.breach(
        'attemptsOff',
        `a line for ${booked.requestId}, which nobody asked for or which had one`,
        null,
      )
      return
    }
    page.booked = booked
  }

  /** Judges what is complete; `last`: whatever is incomplete now stays so. */
  settle(last: boolean): void {
    const beforeMs = performance.now() - SETTLE_MS
    for (const [id, { wish, answer, booked }] of this.pages) {
      if (answer === null || (!last && (booked === null || answer.startedMs + answer.ms > beforeMs))) continue
      this.pages.delete(id)
      this.judge(wish, answer, booked)
    }
  }

  private judge(wish: Wish, answer: Answer, booked: Booked | null): void {
    const all = this.wreckers.map(wrecker => wrecker.take(wish.id))
    this.dealt = all.flatMap(({ dealt }) => dealt)
    const calls = all.reduce((sum, { calls }) => sum + calls, 0)
    const faults = all.reduce((sum, { faults }) => sum + faults, 0)
    let { verdict } = answer
    // An ending that no upstream sent, however whole the text is.
    if (verdict === 'ok' && calls === faults) verdict = 'invented'
    this.verdicts[verdict] += 1
    if (verdict === 'wrong' || verdict === 'invented') this.breach(verdict, verdict, wish, answer)
    if (verdict === 'silent' || (verdict === 'told' && faults === 0 && !this.explained(answer))) {
      this.breach('unexplained', verdict, wish, answer)
    }
    // A caller that left before its request was read was never there.
    if (booked === null) {
      if (verdict !== 'left' || calls > 0) this.breach('missing', 'no line', wish, answer)
      return
    }
    this.compareTries(wish, answer, booked, calls)
    this.compareUsage(wish, answer, booked)
    if (verdict === 'ok') this.compareBytes(wish, answer, booked, all)
  }

  private explained({ shown, startedMs, ms }: Answer): boolean {
    const endedMs = startedMs + ms
    if (RESTS.test(shown)) return true
    if (this.wreckers.some(wrecker => wrecker.refusedBetween(startedMs, endedMs))) return true
    if (!LATE.test(shown) || !this.stalls.between(startedMs, endedMs)) return false
    this.stalled += 1
    return true
  }

  private compareTries(wish: Wish, answer: Answer, booked: Booked, calls: number): void {
    const { verdict } = answer
    const { outcome, attempts } = booked
    const fits = verdict === 'ok' ? outcome === 'ok' : outcome !== 'ok' && outcome !== 'client-closed'
    if (verdict !== 'left' && !fits) this.breach('outcomesOff', `booked as ${outcome}`, wish, answer)
    if (verdict === 'left' && outcome === 'client-closed') {
      // The last try may still have been on its way.
      if (attempts === calls + 1) this.leftUnseen += 1
      else this.unseen += Math.max(0, attempts - calls)
    } else this.unseen += Math.max(0, attempts - calls)
    this.again += Math.max(0, calls - attempts)
  }

  private compareUsage(wish: Wish, answer: Answer, booked: Booked): void {
    const { inputTokens, outputTokens, provider } = booked
    const entry = ENTRIES.find(({ name }) => name === provider)
    if (answer.verdict === 'ok') {
      const input = wish.text.split(' ').length
      if (inputTokens !== input || outputTokens !== input + 1 || booked.usagePartial === true) {
        const said = `${inputTokens} and ${outputTokens} tokens of ${input} and ${input + 1}`
        this.breach('tokensOff', `booked ${said}`, wish, answer)
      }
    }
    if (inputTokens === undefined || outputTokens === undefined || entry === undefined) return
    const usd = costUsd(entry, inputTokens, outputTokens)
    if (Math.abs((booked.costUsd ?? 0) - usd) > USD_SLACK) {
      this.breach('costOff', `booked $${booked.costUsd} of $${usd}`, wish, answer)
    }
    const books = this.entries.get(entry.name)!
    books.inputTokens += inputTokens
    books.outputTokens += outputTokens
    books.costUsd += booked.costUsd ?? 0
  }

  /** A reply that is relayed is what was sent, byte for byte. */
  private compareBytes(wish: Wish, answer: Answer, booked: Booked, all: readonly Served[]): void {
    const model = ENTRIES.find(({ name }) => name === booked.provider)?.model
    const sound = all.flatMap(served => served.sound).filter(one => one.model === model)
    if (sound.length === 0) return
    this.pairs.add(`${wish.dialect} ${sound[0]!.dialect} ${wish.streaming}`)
    if (sound[0]!.dialect !== wish.dialect) return
    this.compared += 1
    const unasked = wish.dialect === 'openai-chat' && wish.streaming && wish.usageAsked !== true
    const sent = sound.map(({ bytes }) => (unasked ? withoutUsage(bytes) : bytes))
    if (!sent.some(bytes => answer.bytes.equals(bytes))) {
      const expected = sent.at(-1)!
      const at = answer.bytes.findIndex((byte, index) => byte !== expected[index])
      const [got, wanted] = [answer.bytes, expected].map(bytes => bytes.toString('utf8', at - 20, at + 80))
      this.breach('wrong', `byte ${at}: ${got} instead of ${wanted}`, wish, answer)
    }
  }

  /** The counters of the gateway beside the upstreams' and the lines'. */
  compareTotals(samples: readonly Sample[]): void {
    let [unconnected, gone] = [0, 0]
    for (const entry of ENTRIES) {
      const tries = (result?: string): number =>
        total(
          samples,
          'sluice_upstream_attempts_total',
          labels => isOf(entry, labels) && (result === undefined || labels['result'] === result),
        )
      const origin = this.wreckers[entry.at]!.upstream.origin
      const [connect, left] = [tries('connect'), tries('client_closed')]
      const again = total(samples, 'sluice_upstream_resent_total', labels => labels['origin'] === origin)
      const calls = this.wreckers[entry.at]!.calls.get(entry.model) ?? 0
      const off = Math.max(0, tries() - connect - left - calls, calls - tries() - again)
      if (off > 0) {
        const said = `${tries()} tries, ${connect} without a connection, ${left} left, ${again} sent again`
        this.breach('attemptsOff', `${entry.name}: ${said}, ${calls} seen`, null)
      }
      unconnected += connect
      gone += left
      this.compareSums(entry, samples)
    }
    const resent = total(samples, 'sluice_upstream_resent_total')
    if (this.again > resent || this.unseen > unconnected || this.leftUnseen > gone) {
      const said = `${this.again} calls without a try, ${this.unseen} and ${this.leftUnseen} tries without a call`
      this.breach('attemptsOff', `${said}; ${resent}, ${unconnected} and ${gone} are explained`, null)
    }
  }

  private compareSums(entry: Entry, samples: readonly Sample[]): void {
    const books = this.entries.get(entry.name)!
    const tokens = (kind: string): number =>
      total(samples, 'brightstaff_llm_tokens_total', labels => isOf(entry, labels) && labels['kind'] === kind)
    const [prompt, completion] = [tokens('prompt'), tokens('completion')]
    if (prompt !== books.inputTokens || completion !== books.outputTokens) {
      const said = `${prompt} and ${completion} tokens counted, ${books.inputTokens} and ${books.outputTokens} in the log`
      this.breach('tokensOff', `${entry.name}: ${said}`, null)
    }
    const usd = total(samples, 'sluice_llm_cost_usd_total', labels => isOf(entry, labels))
    if (Math.abs(usd - books.costUsd) > USD_SLACK * (1 + usd)) {
      this.breach('costOff', `${entry.name}: $${usd} counted, $${books.costUsd} in the log`, null)
    }
  }

  private breach(what: Breach, said: string, wish: Wish | null, answer: Answer | null = null): void {
    this.found[what] += 1
    if (this.found[what] > EXAMPLES_MAX) return
    if (wish === null) this.examples.push(`${what}: ${said}`)
    else {
      const form = `${wish.dialect}${wish.streaming ? ' stream' : ''} of ${wish.model}`
      const dealt = this.dealt.join(', ')
      this.examples.push(
        `${what}: ${said}: ${wish.id} ${form} (${dealt}), ${answer?.status}: ${answer?.shown}`,
      )
    }
  }
}

/** The gateway asks for usage where its caller did not, and keeps the answer to itself. */
function withoutUsage(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('utf8').replace(/data: [^\n]*"choices":\[\],"usage":[^\n]*\n\n/, ''))
}

function isOf({ labels: { provider, model } }: Entry, labels: Readonly<Record<string, string>>): boolean {
  return labels['provider'] === provider && labels['model'] === model
}
