// What every acceptor must do, told once and run against each. Real sockets; an engine that does as it is told.

import { afterEach, beforeEach, describe } from 'vitest'
import type { AcceptorKind } from '../../src/acceptor/index.ts'
import { backPressure } from './contract/back-pressure.ts'
import { Bench } from './contract/bench.ts'
import { bodies } from './contract/bodies.ts'
import { heads } from './contract/heads.ts'
import { leavers } from './contract/leavers.ts'
import { life } from './contract/life.ts'
import { replies } from './contract/replies.ts'
import { requests } from './contract/requests.ts'
import { smuggling } from './contract/smuggling.ts'
import { tlsSuite } from './contract/tls.ts'

export function contractSuite(kind: AcceptorKind): void {
  const bench = new Bench(kind)
  beforeEach(() => bench.start())
  afterEach(() => bench.stop())
  describe('a request', () => requests(bench))
  describe('a header block', () => heads(bench))
  describe('a request that could be read in two ways,', () => smuggling(bench))
  describe('a body', () => bodies(bench))
  describe('a reply', () => replies(bench))
  describe('back-pressure', () => backPressure(bench))
  describe('a client', () => leavers(bench))
  describe('an acceptor', () => life(bench))
  describe('TLS', () => tlsSuite(bench))
}
