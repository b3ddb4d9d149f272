import { describe } from 'vitest'
import { contractSuite } from './contract.ts'
import { leaversSuite } from './leavers.ts'
import { proxySuite } from './proxies.ts'
import { tlsSuite } from './tls.ts'

describe('the negotiating client over HTTP/2: the contract', () => contractSuite('negotiated'))
describe('the negotiating client over HTTP/2: callers that leave', () => leaversSuite('negotiated'))
describe('the negotiating client with HTTP/1.1 upstreams: TLS', () => tlsSuite('negotiated'))
describe('the negotiating client with HTTP/1.1 upstreams: proxies', () => proxySuite('negotiated'))
