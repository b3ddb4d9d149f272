// Large forms through the whole process, on both acceptors: the bytes arrive, and the process does not grow by them.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI, { toFile } from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'

/** Far more than the process may hold, far less than a test may take. */
const FILE_BYTES = 192 * 1024 * 1024
/** Pieces that passed are garbage until the collector comes, 30 to 70 MB later; a body that is held is all of it. */
const GROWTH_BYTES_MAX = 112 * 1024 * 1024
/** Two processes, a slow upstream, and a machine that does other things. */
const TEST_MS_MAX = 90_000

interface Seen {
  readonly path: string
  readonly bytes: number
  readonly hash: string
}

let upstream: Server
let seen: Seen[]
let gateway: GatewayProcess | null = null

beforeEach(async () => {
  seen = []
  gateway = null
  upstream = createServer((request, response) => {
    const hash = createHash('sha256')
    let bytes = 0
    let slow = 0
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
      // Now and then the upstream falls asleep, so that everything in front of it has to wait.
      if (bytes - slow < 16 * 1024 * 1024) return
      slow = bytes
      request.pause()
      setTimeout(() => request.resume(), 50)
    })
    request.on('end', () => {
      seen.push({ path: request.url ?? '', bytes, hash: hash.digest('hex') })
      response.setHeader('content-type', 'application/json')
      response.end('{"id":"file-1","object":"file","text":"hi"}')
    })
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await gateway?.stop('SIGKILL')
  upstream.closeAllConnections()
  await new Promise(resolve => upstream.close(resolve))
})

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway!.process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024
}

describe.each(['uws', 'node'])('on the %s acceptor', acceptor => {
  beforeEach(async () => {
    const { port } = upstream.address() as AddressInfo
    gateway = await startGateway({
      server: `  acceptor: ${acceptor}`,
      yaml: `model_providers:\n  - { model: openai/*, access_key: k, base_url: "http://127.0.0.1:${port}/v1" }`,
    })
    expect(gateway.output()).toContain(`${acceptor} acceptor`)
  })

  test('a large file passes whole and leaves no trace in memory', { timeout: TEST_MS_MAX }, async () => {
    const piece = Buffer.alloc(FILE_BYTES, 0x61)
    const head = `--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`
    const form = Buffer.concat([Buffer.from(head), piece, Buffer.from('\r\n--b--\r\n')])
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const warm = await fetch(`${gateway!.origin}/v1/files`, {
      method: 'POST',
      headers,
      body: `${head}\r\n--b--\r\n`,
    })
    expect(warm.status).toBe(200)
    const before = residentBytes()
    const reply = await fetch(`${gateway!.origin}/v1/files`, { method: 'POST', headers, body: form })
    expect([reply.status, await reply.text()]).toEqual([200, '{"id":"file-1","object":"file","text":"hi"}'])
    expect(seen[1]).toEqual({
      path: '/v1/files',
      bytes: form.length,
      hash: createHash('sha256').update(form).digest('hex'),
    })
    const growth = residentBytes() - before
    if (process.env['SHOW_FIGURES'] !== undefined)
      console.info(`${acceptor}: ${growth / 1024 / 1024} MB for ${FILE_BYTES / 1024 / 1024} MB`)
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX)
  })

  test('the official client has a recording transcribed', async () => {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${gateway!.origin}/v1`, maxRetries: 0 })
    const recording = await toFile(Buffer.alloc(3_000_000, 1), 'a.wav')
    const one = await client.audio.transcriptions.create({ model: 'openai/whisper-1', file: recording })
    const other = await client.audio.transcriptions.create({ file: recording, model: 'whisper-1' })
    expect([one.text, other.text]).toEqual(['hi', 'hi'])
    expect(seen.map(({ path }) => path)).toEqual(['/v1/audio/transcriptions', '/v1/audio/transcriptions'])
  })
})
