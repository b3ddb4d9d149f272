// What every acceptor must do, told once and run against each. Real sockets; an engine that does as it is told.

import { afterEach, beforeEach, describe } from 'vitest'
import type { AcceptorKind } from '../../src/acceptor/index.ts'
import { Bench } from './contract/bench.ts'
import { bodies } from './contract/bodies.ts'
import { replies } from './contract/replies.ts'
import { requests } from './contract/requests.ts'

export function contractSuite(kind: AcceptorKind): void {
  const bench = new Bench(kind)
  beforeEach(() => bench.start())
  afterEach(() => bench.stop())
  describe('a request', () => requests(bench))
  describe('a body', () => bodies(bench))
  describe('a reply', () => replies(bench))
}
