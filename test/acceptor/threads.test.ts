// Threads that end while they serve. Each case is a process of its own, because what is to be seen is that the
// process lives. Runs the built files: a thread cannot be started from sources here.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type AcceptorKind, portSharing } from '../../src/acceptor/index.ts'
import { KINDS } from './contract/bench.ts'
import type { Ending } from './threads/worker.ts'

const MAIN = join(import.meta.dirname, '../../dist/test/acceptor/threads/main.js')

interface Outcome {
  readonly exitCode: number
  readonly answeredBy: number
  readonly streams: number
  readonly alive: number
  readonly mine: number
  readonly cut: number
}

async function run(kind: AcceptorKind, ending: Ending, threads: number): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, kind, ending, String(threads)], {
    timeout: 30_000,
  })
  return JSON.parse(stdout) as Outcome
}

const EXIT_CODES: readonly (readonly [Ending, number])[] = [
  ['close', 0],
  ['exit', 0],
  ['throw', 1],
  ['handler', 7],
  ['bug', 1],
]

for (const kind of KINDS) {
  test.each(EXIT_CODES)(
    `a thread with the ${kind} acceptor ends by %s and the process lives`,
    async (ending, code) => {
      const outcome = await run(kind, ending, 1)
      expect(outcome.exitCode).toBe(code)
      expect(outcome.alive).toBe(0)
      expect(outcome.cut).toBe(outcome.streams)
    },
  )
}

test.runIf(KINDS.includes('uws'))(
  'threads share a port, and one that dies takes no stream of its neighbour along',
  async () => {
    expect(portSharing('uws')).toBe(true)
    const outcome = await run('uws', 'throw', 2)
    expect(outcome.answeredBy).toBe(2)
    expect(outcome.mine).toBeGreaterThan(0)
    expect(outcome.mine).toBeLessThan(outcome.streams)
    expect(outcome.cut).toBe(outcome.mine)
    expect(outcome.alive).toBe(outcome.streams - outcome.mine)
  },
)
