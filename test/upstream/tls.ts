// TLS towards upstreams: verified, by name, with sessions resumed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LookupFunction } from 'node:net'
import tls from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { chat, run, STREAM, send } from './collect.ts'
import { Bench, type Kind } from './contract/bench.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const ca = file('authority.pem')

/** Every name is this machine. */
const local: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

export function tlsSuite(kind: Kind): void {
  const bench = new Bench(kind, false)
  let secure: FakeUpstream
  beforeEach(async () => {
    await bench.start()
    secure = await startFakeUpstream({ tls: { key: file('localhost.key'), cert: file('localhost.pem') } })
  })
  afterEach(async () => {
    await secure.close()
    await bench.stop()
  })

  test('carries calls, whole and streamed, over one kept connection', async () => {
    const client = bench.open({ ca })
    for (const body of [undefined, STREAM, undefined]) {
      const reply = await run(client, chat(secure.origin, '', body))
      expect(reply.outcome).toBe('200 ended')
      expect(reply.text).toContain('echo: ')
    }
    expect(secure.socketsEver).toBe(1)
  })

  test('carries large requests and large replies intact', async () => {
    const client = bench.open({ ca })
    const words = 'word '.repeat(200_000)
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: words }] })
    const reply = await run(client, chat(secure.origin, '', body))
    expect(reply.outcome).toBe('200 ended')
    expect(JSON.parse(reply.text).choices[0].message.content).toBe(`echo: ${words}`)
    expect(secure.requests[0]!.text()).toBe(body)
  })

  test('obeys pause', async () => {
    const client = bench.open({ ca })
    const paused = send(
      client,
      chat(secure.origin, 'neverEnding;frames=50;frameBytes=2000', STREAM),
      call => {
        call.keepsBytes = false
        call.onData = () => call.call!.pause()
      },
    )
    await until('the upstream is stalled', () => secure.requests[0]?.stalled === true)
    const { bytesSent } = secure.requests[0]!
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(secure.requests[0]!.bytesSent).toBe(bytesSent)
    paused.onData = null
    paused.call!.resume()
    await until('it flows again', () => secure.requests[0]!.bytesSent > bytesSent + 4_000_000)
    paused.abort()
    await until('the upstream saw it', () => secure.requests[0]!.aborted)
  })

  test('refuses a certificate that nobody trusted has signed', async () => {
    const reply = await run(bench.open({}), chat(secure.origin))
    expect(reply.error?.kind).toBe('upstream-connect')
    expect(reply.error?.message).toMatch(
      /^cannot connect to 127\.0\.0\.1:\d+: (UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET)/,
    )
    expect(secure.requestsEver).toBe(0)
  })

  test('refuses a certificate for another name and says which', async () => {
    const other = await startFakeUpstream({ tls: { key: file('other.key'), cert: file('other.pem') } })
    const client = bench.open({ ca, lookup: local })
    const reply = await run(client, chat(`https://models.test:${other.port}`))
    expect(reply.error?.kind).toBe('upstream-connect')
    expect(reply.error?.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(reply.error?.message).toContain('other.test')
    expect(other.requestsEver).toBe(0)
    // The same certificate under its own name is fine.
    expect((await run(client, chat(`https://other.test:${other.port}`))).outcome).toBe('200 ended')
    await other.close()
  })

  test('fails in words when the other side does not speak TLS', async () => {
    const reply = await run(bench.open({ ca }), chat(bench.upstream.origin.replace('http:', 'https:')))
    expect(reply.error?.kind).toBe('upstream-connect')
  })

  test('asks for the name by SNI and resumes sessions', async () => {
    const names: string[] = []
    const resumed: boolean[] = []
    const server = tls.createServer(
      {
        key: file('localhost.key'),
        cert: file('localhost.pem'),
        SNICallback: (name, done) => {
          names.push(name)
          done(null)
        },
      },
      socket => {
        resumed.push(socket.isSessionReused())
        socket.on('error', () => {})
        socket.on('data', () => {
          socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok')
        })
      },
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const client = bench.open({ ca, lookup: local })
    for (let at = 0; at < 3; at++)
      expect((await run(client, chat(`https://localhost:${port}`))).text).toBe('ok')
    expect(names).toContain('localhost')
    expect(resumed).toEqual([false, true, true])
    server.close()
  })
}
