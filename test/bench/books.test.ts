// The soak's judge is worth something only if it finds fault: one run of the books for every kind of breach.

import { describe, expect, test } from 'vitest'
import { Books } from '../../bench/load/chaos/books.ts'
import type { Answer, Verdict, Wish } from '../../bench/load/chaos/caller.ts'
import { ENTRIES } from '../../bench/load/chaos/entries.ts'
import type { Booked } from '../../bench/load/chaos/gateway.ts'
import type { Stalls } from '../../bench/load/chaos/stalls.ts'
import type { Served, Wrecker } from '../../bench/load/chaos/wrecker.ts'
import type { Sample } from '../../bench/load/measure/exposition.ts'

const ENTRY = ENTRIES[0]!
const BODY = Buffer.from('{"choices":[]}')
const WISH: Wish = {
  id: 'chaos-1',
  dialect: 'openai-chat',
  streaming: false,
  model: ENTRY.name,
  text: 'chaos-1 one two',
}
const ANSWER: Answer = { verdict: 'ok', status: 200, startedMs: 0, ms: 5, bytes: BODY, shown: '' }
const LINE: Booked = {
  requestId: WISH.id,
  endpoint: '/v1/chat/completions',
  provider: ENTRY.name,
  outcome: 'ok',
  attempts: 1,
  inputTokens: 3,
  outputTokens: 4,
  costUsd: (3 * ENTRY.price.input + 4 * ENTRY.price.output) / 1e6,
}
const SERVED: Served = {
  calls: 1,
  faults: 0,
  dealt: [],
  sound: [{ model: ENTRY.model, dialect: 'openai-chat', bytes: BODY }],
}

function upstream(served: Served, at: number): Wrecker {
  const nothing: Served = { calls: 0, faults: 0, dealt: [], sound: [] }
  return {
    upstream: { origin: `http://u${at}` },
    calls: new Map(at === ENTRY.at ? [[ENTRY.model, served.calls]] : []),
    take: () => (at === ENTRY.at ? served : nothing),
    refusedBetween: () => false,
  } as unknown as Wrecker
}

interface Story {
  readonly answer?: Partial<Answer>
  readonly line?: Partial<Booked> | null
  readonly served?: Partial<Served>
  readonly counters?: Readonly<Record<string, number>>
  readonly stalled?: boolean
}

/** What the books find when everything is as it should be, but for what the story says. */
function found({ answer, line, served, counters, stalled = false }: Story): Record<string, number> {
  const given = { ...SERVED, ...served }
  const wreckers = [0, 1, 2].map(at => upstream(given, at))
  const books = new Books(wreckers, { between: () => stalled } as unknown as Stalls)
  books.asked(WISH)
  if (line !== null) books.booked({ ...LINE, ...line })
  books.answered(WISH, { ...ANSWER, ...answer })
  books.settle(true)
  const sample = (name: string, value: number, more: Record<string, string> = {}): Sample => ({
    name,
    labels: { ...ENTRY.labels, ...more },
    value: counters?.[name] ?? value,
  })
  books.compareTotals([
    sample('sluice_upstream_attempts_total', 1, { result: 'ok' }),
    sample('brightstaff_llm_tokens_total', 3, { kind: 'prompt' }),
    { name: 'brightstaff_llm_tokens_total', labels: { ...ENTRY.labels, kind: 'completion' }, value: 4 },
    sample('sluice_llm_cost_usd_total', LINE.costUsd!),
  ])
  return Object.fromEntries(Object.entries(books.found).filter(([, count]) => count > 0))
}

const told = (shown: string): Partial<Answer> => ({ verdict: 'told', status: 503, shown })
const FAILED = { outcome: 'upstream-error' }

describe('the books', () => {
  test('find nothing when nothing is wrong', () => {
    expect(found({})).toEqual({})
  })

  test.each<[string, Story, Record<string, number>]>([
    ['a byte that is another', { answer: { bytes: Buffer.from('{"choices":[ ]}') } }, { wrong: 1 }],
    ['a text that is another', { answer: { verdict: 'wrong' } }, { wrong: 1, outcomesOff: 1 }],
    ['an ending that no upstream sent', { served: { faults: 1 } }, { invented: 1 }],
    ['an error without a fault', { answer: told('it broke'), line: FAILED }, { unexplained: 1 }],
    ['silence', { answer: { verdict: 'silent' }, line: FAILED, served: { faults: 1 } }, { unexplained: 1 }],
    ['no line', { line: null }, { missing: 1, tokensOff: 1, costOff: 1 }],
    ['an error booked as a success', { answer: told('x'), served: { faults: 1 } }, { outcomesOff: 1 }],
    ['a try that no upstream saw', { line: { attempts: 2 } }, { attemptsOff: 1 }],
    ['a call that no try stands for', { served: { calls: 2 } }, { attemptsOff: 2 }],
    [
      'a counter of tries that is off',
      { counters: { sluice_upstream_attempts_total: 2 } },
      { attemptsOff: 1 },
    ],
    ['a token too many', { line: { inputTokens: 4 } }, { tokensOff: 2, costOff: 1 }],
    ['a counter of tokens that is off', { counters: { brightstaff_llm_tokens_total: 9 } }, { tokensOff: 1 }],
    ['a cent too much', { line: { costUsd: 0.01 } }, { costOff: 2 }],
    ['a counter of dollars that is off', { counters: { sluice_llm_cost_usd_total: 1 } }, { costOff: 1 }],
  ])('find %s', (_what, story, breaches) => {
    expect(found(story)).toEqual(breaches)
  })

  test.each<[string, Story]>([
    ['a fault of the upstream', { answer: told('it broke'), served: { faults: 1, sound: [] } }],
    ['a breaker', { answer: told('it failed just now and is given time to recover') }],
    ['a stall of the load generator', { answer: told('within 1000 ms (headers deadline)'), stalled: true }],
  ])('take %s for a reason', (_what, story) => {
    expect(found({ ...story, line: FAILED })).toEqual({})
  })

  test('do not take a stall for a reason of what is no time-out', () => {
    expect(found({ answer: told('it broke'), line: FAILED, stalled: true })).toEqual({ unexplained: 1 })
  })

  test('let callers go', () => {
    const left: Verdict = 'left'
    expect(found({ answer: { verdict: left }, line: { outcome: 'client-closed' } })).toEqual({})
  })
})
