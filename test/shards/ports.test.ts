// A port belongs to one process, also where the operating system would let two share it.

import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { PortClaims } from '../../src/shards/ports.ts'
import { freePort } from '../support/gateway.ts'

const ADDRESS = '127.0.0.1'
const claims: PortClaims[] = []
const servers: Server[] = []

afterEach(() => {
  for (const claim of claims.splice(0)) claim.keepOnly([])
  for (const server of servers.splice(0)) server.close()
})

function newClaims(): PortClaims {
  const made = new PortClaims()
  claims.push(made)
  return made
}

function listen(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    servers.push(server)
    server.once('error', reject)
    server.listen(port, ADDRESS, () => resolve())
  })
}

describe('a claimed port', () => {
  test('can be listened on by its owner, and a second claim fails naming it', async () => {
    const port = await freePort()
    const own = newClaims()
    await own.claim([{ address: ADDRESS, port }])
    await listen(port)
    await expect(newClaims().claim([{ address: ADDRESS, port }])).rejects.toThrow(
      new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is taken`),
    )
    // What is ours already may be claimed again: another plan keeps the listener.
    await own.claim([{ address: ADDRESS, port }])
  })

  test('is free again when it was given up', async () => {
    const port = await freePort()
    const own = newClaims()
    await own.claim([{ address: ADDRESS, port }])
    own.keepOnly([])
    await until(() => newClaims().claim([{ address: ADDRESS, port }]))
  })

  test.runIf(process.platform === 'linux')('is refused to another before the owner listens', async () => {
    const port = await freePort()
    await newClaims().claim([{ address: ADDRESS, port }])
    await expect(newClaims().claim([{ address: ADDRESS, port }])).rejects.toThrow('another Sluice')
  })
})

describe('a port that cannot be had', () => {
  test('because another program listens is named, and nothing else stays claimed', async () => {
    const [first, taken] = [await freePort(), await freePort()]
    await listen(taken)
    const places = [first, taken].map(port => ({ address: ADDRESS, port }))
    await expect(newClaims().claim(places)).rejects.toThrow(
      `port ${taken} on 127.0.0.1 is taken by another process`,
    )
    await until(() => newClaims().claim([places[0]!]))
  })

  test('because the address is not of this machine is named', async () => {
    await expect(newClaims().claim([{ address: '192.0.2.1', port: 18_080 }])).rejects.toThrow(
      'cannot listen on 192.0.2.1 port 18080: this machine has no such address',
    )
  })
})

test('port 0 is nobody’s and may be claimed by all', async () => {
  await newClaims().claim([{ address: ADDRESS, port: 0 }])
  await newClaims().claim([{ address: ADDRESS, port: 0 }])
})

/** Closing a socket takes a turn of the loop. */
async function until(attempt: () => Promise<void>): Promise<void> {
  for (let time = 0; time < 20; time += 1) {
    try {
      return await attempt()
    } catch {
      await new Promise(done => setTimeout(done, 10))
    }
  }
  await attempt()
}
