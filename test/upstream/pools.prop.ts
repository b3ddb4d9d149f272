// The pool's books under random histories: calls come and leave, connections open, fail, finish and die, in any
// order. Whatever happens, every call ends once or is still somewhere, and nobody waits while there is room.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/common/errors.ts'
import { Target } from '../../src/upstream/connect.ts'
import { Connection } from '../../src/upstream/connection.ts'
import type { UpstreamCall } from '../../src/upstream/index.ts'
import { OriginPool } from '../../src/upstream/pools.ts'
import { Collected, chat } from './collect.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`pool properties: FAST_CHECK_SEED=${seed}`)

const ORIGIN = 'http://127.0.0.1:1'
const LIMITS = { idleMsMax: 1e9, ageMsMax: 1e9, orphanConnectMsMax: 1e9 }

/** A connection whose every move is made by the test. */
class Puppet extends Connection {
  protected override socket = { destroy: () => {}, writableLength: 0, bytesWritten: 0 } as never
  written = 0

  protected write(): void {
    this.written += 1
  }

  pauseReading(): void {}
  resumeReading(): void {}

  protected progress(): { readonly headRead: boolean; readonly bodyBytes: number } {
    return { headRead: this.call?.answered === true, bodyBytes: 0 }
  }

  opens(): void {
    this.connected()
  }

  answers(): void {
    const { call } = this
    if (call === null || call.answered) return
    call.answered = true
    this.gotHead(call, 200, [])
  }

  finishes(reusable: boolean): void {
    this.answers()
    if (this.call !== null) this.gotEnd(this.call, reusable)
  }

  dies(): void {
    this.lastError = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    this.socketEnded()
  }
}

type Move =
  | { readonly kind: 'send' }
  | { readonly kind: 'leave' | 'open' | 'answer' | 'finish' | 'close' | 'die'; readonly which: number }
  | { readonly kind: 'turn' }

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Move>({ kind: 'send' }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('leave', 'open', 'answer', 'finish', 'close', 'die'),
      which: fc.nat({ max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Move>({ kind: 'turn' }) },
)

class History {
  readonly puppets: Puppet[] = []
  readonly calls: Collected[] = []
  readonly pool: OriginPool
  readonly connectionsMax: number
  private readonly queuedMax: number

  constructor(connectionsMax: number, queuedMax: number) {
    this.connectionsMax = connectionsMax
    this.queuedMax = queuedMax
    const open = (pool: OriginPool): Puppet => {
      const puppet = new Puppet(pool)
      this.puppets.push(puppet)
      return puppet
    }
    this.pool = new OriginPool(new Target(ORIGIN), { ...LIMITS, connectionsMax, queuedMax }, open, () => {})
  }

  async make(move: Move): Promise<void> {
    if (move.kind === 'turn') await turn()
    else if (move.kind === 'send') {
      const collected = new Collected()
      this.calls.push(collected)
      collected.call = this.pool.send(chat(ORIGIN), collected) as UpstreamCall
    } else this.push(move.kind, move.which)
  }

  private push(kind: Exclude<Move['kind'], 'send' | 'turn'>, which: number): void {
    if (kind === 'leave') {
      const running = this.calls.filter(call => !call.ended && call.error === null && !call.aborted)
      if (running.length > 0) running[which % running.length]!.abort()
      return
    }
    const live = this.puppets.filter(puppet => puppet.state !== 'closed')
    const puppet = live[which % Math.max(1, live.length)]
    if (puppet === undefined) return
    if (kind === 'open') puppet.opens()
    else if (kind === 'die') puppet.dies()
    else if (puppet.state === 'busy' && kind === 'answer') puppet.answers()
    else if (puppet.state === 'busy') puppet.finishes(kind === 'finish')
  }

  /** What must hold whenever the loop has had a turn. */
  check(): void {
    const facts = this.pool.facts()
    const live = this.puppets.filter(puppet => puppet.state !== 'closed')
    const over = this.calls.filter(call => call.ended || call.error !== null || call.aborted).length
    const dedicated = live.filter(puppet => puppet.sponsor !== null && !puppet.sponsor.queued).length
    expect(this.calls.flatMap(call => call.breaches)).toEqual([])
    expect(facts.connecting + facts.busy + facts.idle).toBe(live.length)
    expect(live.length).toBeLessThanOrEqual(this.connectionsMax)
    expect(facts.queued + facts.busy + dedicated).toBe(this.calls.length - over)
    expect(facts.queued).toBeLessThanOrEqual(this.queuedMax + this.connectionsMax)
    if (facts.queued > 0) {
      expect(facts.idle).toBe(0)
      const helped = live.filter(puppet => puppet.sponsor?.queued === true).length
      expect(live.length === this.connectionsMax || helped === facts.queued).toBe(true)
    }
    for (const puppet of live) {
      if (puppet.sponsor !== null) expect(puppet.sponsor.attempt).toBe(puppet)
      if (puppet.state === 'busy') expect(puppet.call?.connection).toBe(puppet)
    }
  }

  /** Everything still open is served to its end. */
  async finish(): Promise<void> {
    for (let round = 0; round < 200 && this.open() > 0; round++) {
      for (const puppet of [...this.puppets]) {
        if (puppet.state === 'connecting') puppet.opens()
        if (puppet.state === 'busy') puppet.finishes(true)
      }
      await turn()
    }
  }

  open(): number {
    return this.calls.filter(call => !call.ended && call.error === null && !call.aborted).length
  }
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

test('any history keeps the books right and ends with everyone served', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 12 }),
      fc.array(move, { minLength: 1, maxLength: 120 }),
      async (connectionsMax, queuedMax, moves) => {
        const history = new History(connectionsMax, queuedMax)
        for (const each of moves) {
          await history.make(each)
          await turn()
          history.check()
        }
        await history.finish()
        expect(history.open()).toBe(0)
        const facts = history.pool.facts()
        expect(facts).toMatchObject({ busy: 0, queued: 0 })
        history.pool.close()
        expect(history.pool.empty).toBe(true)
        for (const call of history.calls) {
          if (call.error !== null) expect(call.error).toBeInstanceOf(GatewayError)
        }
      },
    ),
    { seed, numRuns: 600 },
  )
})

test('moves within one turn, too, leave nobody behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(move, { maxLength: 150 }),
      async (max, moves) => {
        const history = new History(max, 1_000)
        for (const each of moves) if (each.kind !== 'turn') await history.make(each)
        await turn()
        history.check()
        await history.finish()
        expect(history.open()).toBe(0)
        expect(history.pool.facts()).toMatchObject({ busy: 0, queued: 0 })
      },
    ),
    { seed, numRuns: 600 },
  )
})
