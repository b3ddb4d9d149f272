import { describe } from 'vitest'
import { KINDS } from './contract/bench.ts'
import { contractSuite } from './contract.ts'

describe.runIf(KINDS.includes('uws'))('the uws acceptor: the contract', () => contractSuite('uws'))
