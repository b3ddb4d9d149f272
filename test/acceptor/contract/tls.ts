import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type tls from 'node:tls'
import { expect, test } from 'vitest'
import { type Bench, chunked, post, request, TLS, until } from './bench.ts'

export function tlsSuite(bench: Bench): void {
  test('serves the certificate of the files', async () => {
    await bench.start({ tls: TLS })
    const client = await bench.say(post('/a', 'hello'))
    expect((await client.reply()).body.toString()).toBe('hello')
    const socket = client.socket as tls.TLSSocket
    expect(socket.getPeerCertificate().subject.CN).toBe('localhost')
    expect(socket.getProtocol()).toMatch(/^TLSv1\.[23]$/)
    client.send(chunked('/a', ['again']))
    expect((await client.reply()).body.toString()).toBe('again')
  })

  test('carries large bodies and large replies, also to slow readers, in every framing', async () => {
    await bench.start({ tls: TLS })
    const big = Buffer.alloc(900_000)
    for (let at = 0; at < big.length; at += 1) big[at] = (at * 7) & 0xff
    for (const length of ['whole', null, big.length * 8] as const) {
      bench.engine.handle = seen => {
        seen.onBody = body => {
          if (length === 'whole') {
            seen.reply.whole(200, [], Buffer.concat(Array.from({ length: 8 }, () => body)))
            return
          }
          seen.reply.head(200, [], length)
          let left = 8
          const step = (): void => {
            while (left > 0) {
              left -= 1
              if (!seen.reply.write(body) && left > 0) return
            }
            seen.reply.end()
          }
          seen.onDrained = step
          step()
        }
      }
      const client = await bench.connect()
      client.send(request('POST /a', [`Content-Length: ${big.length}`])).send(big)
      client.socket.pause()
      await new Promise(done => setTimeout(done, 300))
      client.socket.resume()
      const reply = await client.reply()
      expect(reply.complete).toBe(true)
      expect(reply.body.equals(Buffer.concat(Array.from({ length: 8 }, () => big)))).toBe(true)
      client.destroy()
    }
  })

  test('tells of clients that leave', async () => {
    await bench.start({ tls: TLS })
    bench.engine.handle = () => {}
    for (const leave of ['end', 'destroy'] as const) {
      const client = await bench.say(post('/a', 'x'))
      const count = leave === 'end' ? 1 : 2
      await until(() => bench.engine.seen.length === count, 'the request')
      client.socket[leave]()
      await until(() => bench.engine.last.events.includes('gone'), 'gone')
    }
    await until(() => bench.acceptor.connections === 0, 'none')
  })

  test('survives clients that speak plainly or break off the handshake', async () => {
    await bench.start({ tls: TLS })
    const { RawClient } = await import('../raw-client.ts')
    const plain = await RawClient.connect(bench.acceptor.port)
    plain.send(request('GET /a'))
    await plain.ended(16_000)
    const quitter = await RawClient.connect(bench.acceptor.port)
    quitter.send('\x16\x03\x01\x02').reset()
    const client = await bench.say(post('/a', 'still here'))
    expect((await client.reply()).body.toString()).toBe('still here')
  })

  test('names the file that cannot be used', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
    const nonsense = join(folder, 'nonsense.pem')
    writeFileSync(nonsense, 'not a certificate')
    const absent = join(folder, 'absent.pem')
    await expect(bench.open({ tls: { ...TLS, keyFile: absent } })).rejects.toThrow(
      `the TLS key file ${absent} cannot be read (ENOENT)`,
    )
    await expect(bench.open({ tls: { ...TLS, certificateFile: nonsense } })).rejects.toThrow(nonsense)
    const other = join(import.meta.dirname, '../../fixtures/tls/other.key')
    await expect(bench.open({ tls: { ...TLS, keyFile: other } })).rejects.toThrow(other)
    rmSync(folder, { recursive: true })
  })
}
