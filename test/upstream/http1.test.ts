import { describe } from 'vitest'
import { contractSuite } from './contract.ts'
import { leaversSuite } from './leavers.ts'
import { proxySuite } from './proxies.ts'
import { tlsSuite } from './tls.ts'

describe('the http1 client: the contract', () => contractSuite('http1'))
describe('the http1 client: TLS', () => tlsSuite('http1'))
describe('the http1 client: callers that leave', () => leaversSuite('http1'))
describe('the http1 client: proxies', () => proxySuite('http1'))
