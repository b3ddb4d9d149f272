// The fault matrix: every way an upstream goes wrong before it has said anything, for every dialect, whole and streamed,
// relayed and translated. Each row says what a client without a fallback sees, that a client with one sees nothing, how
// often each upstream was called, every counter that moved and whether the breaker opened. After each, no socket and no
// timer is left. What goes wrong later is in faults-midway.test.ts.

import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type LookupFunction } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { DIALECT_IDS } from './callers.ts'
import { BREAKER_CALLS, callersOf, proveRow, upstreamOf, WAYS } from './faults-bench.ts'
import { type Fault, FAULTS, GOOGLE_LIMIT, UNANSWERED, UNREACHABLE } from './faults.ts'
import { Handles } from './handles.ts'

const handles = new Handles()

let broken: FakeUpstream
let sound: FakeUpstream

beforeEach(async () => {
  broken = await startFakeUpstream()
  sound = await startFakeUpstream()
})

afterEach(async () => {
  await broken.close()
  await sound.close()
  await handles.noneLeft()
})

describe.each(DIALECT_IDS)('%s', dialect => {
  test(GOOGLE_LIMIT.name, async () => {
    GOOGLE_LIMIT.breakIt(broken, 'gemini-generate')
    const way = dialect === 'gemini-generate' ? 'relayed' : 'translated'
    await proveRow(dialect, way, { broken: broken.origin, sound: sound.origin }, GOOGLE_LIMIT)
    expect(sound.requestsEver).toBe(callersOf(dialect).length)
  })

  describe.each(WAYS)('%s', way => {
    const callers = callersOf(dialect).length
    const origins = () => ({ broken: broken.origin, sound: sound.origin })

    test.each<[string, Fault]>(FAULTS.map(fault => [fault.name, fault]))('%s', async (_name, fault) => {
      fault.breakIt(broken, upstreamOf(dialect, way))
      await proveRow(dialect, way, origins(), fault)
      const asked = callersOf(dialect, fault).length
      expect(broken.requestsEver, 'calls of the broken upstream').toBe(2 * asked + BREAKER_CALLS)
      expect(sound.requestsEver, 'calls of the sound one').toBe(asked)
    })

    test('a connection that is refused', async () => {
      await broken.close()
      await proveRow(dialect, way, origins(), UNREACHABLE)
      expect([broken.requestsEver, sound.requestsEver]).toEqual([0, callers])
    })

    test('a name that nobody knows', async () => {
      const nowhere = { ...origins(), broken: 'http://nobody.invalid:80' }
      const fault = { ...UNREACHABLE, message: /ENOTFOUND/ }
      await proveRow(dialect, way, nowhere, fault, { client: { lookup: NOBODY } })
      expect(sound.requestsEver).toBe(callers)
    })

    test('a name that is looked up for ever', async () => {
      const nowhere = { ...origins(), broken: 'http://slow.invalid:80' }
      // The sound one has an address and no name, which is never looked up.
      await proveRow(dialect, way, nowhere, UNANSWERED, { client: { lookup: () => {} } })
      expect(sound.requestsEver).toBe(callers)
    })

    test('a handshake that is never answered', async () => {
      const silent = createServer(socket => void socket.resume().on('error', () => {}))
      await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
      const { port } = silent.address() as AddressInfo
      const nowhere = { ...origins(), broken: `https://127.0.0.1:${port}` }
      await proveRow(dialect, way, nowhere, UNANSWERED)
      expect(sound.requestsEver).toBe(callers)
      await new Promise(resolve => silent.close(resolve))
    })

    test('a certificate for another name', async () => {
      const secure = await startFakeUpstream({ tls: { key: pem('other.key'), cert: pem('other.pem') } })
      const elsewhere = { ...origins(), broken: secure.origin.replace('127.0.0.1', 'localhost') }
      const more = { client: { ca: pem('authority.pem') } }
      await proveRow(dialect, way, elsewhere, UNREACHABLE, more)
      expect([secure.requestsEver, sound.requestsEver]).toEqual([0, callers])
      await secure.close()
    })
  })
})

function pem(name: string): string {
  return readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8')
}

/** Knows addresses, and no name. */
const NOBODY: LookupFunction = (name, _options, callback) => {
  const error: NodeJS.ErrnoException = new Error(`getaddrinfo ENOTFOUND ${name}`)
  error.code = 'ENOTFOUND'
  callback(error, '', 4)
}
