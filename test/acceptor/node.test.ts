import { describe } from 'vitest'
import { contractSuite } from './contract.ts'

describe('the node acceptor: the contract', () => contractSuite('node'))
