// What every upstream client must do, told once and run against each. Real sockets, and an upstream that misbehaves.

import { afterEach, beforeEach, describe } from 'vitest'
import { Bench, type Kind } from './contract/bench.ts'
import { backPressure } from './contract/back-pressure.ts'
import { callers } from './contract/callers.ts'
import { connections } from './contract/connections.ts'
import { deadlines } from './contract/deadlines.ts'
import { failures } from './contract/failures.ts'
import { replies } from './contract/replies.ts'
import { requests } from './contract/requests.ts'
import { streamedBodies } from './contract/streamed-bodies.ts'

export function contractSuite(kind: Kind): void {
  const bench = new Bench(kind)
  beforeEach(() => bench.start())
  afterEach(() => bench.stop())
  describe('a request', () => requests(bench))
  describe('a body in pieces', () => streamedBodies(bench))
  describe('a reply', () => replies(bench, kind))
  describe('a failure', () => failures(bench))
  describe('a deadline', () => deadlines(bench))
  // Sessions that many calls share have rules of their own: `http2-sessions.ts`.
  if (kind !== 'negotiated') describe('a connection', () => connections(bench))
  describe('back-pressure', () => backPressure(bench))
  describe('the caller', () => callers(bench))
}
