import { describe } from 'vitest'
import { contractSuite } from './contract.ts'

describe('the uws acceptor: the contract', () => contractSuite('uws'))
