import { describe } from 'vitest'
import { contractSuite } from './contract.ts'
import { leaversSuite } from './leavers.ts'
import { proxySuite } from './proxies.ts'
import { tlsSuite } from './tls.ts'

describe('the undici client: the contract', () => contractSuite('undici'))
describe('the undici client: TLS', () => tlsSuite('undici'))
describe('the undici client: callers that leave', () => leaversSuite('undici'))
describe('the undici client: proxies', () => proxySuite('undici'))
