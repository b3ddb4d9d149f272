// A login that has ended, met by all threads of a process and by a second process at once: it is renewed once, because
// what renews it is good for one use.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'

const CALLS = 24
/** Two processes start, on a machine that does other things. */
const TEST_MS_MAX = 60_000

const REPLY =
  'event: response.created\ndata: {"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","output":[]}}\n\n' +
  'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[]}}\n\n'

let folder: string
let file: string
let server: Server
let renewals: string[]
let shown: string[]
let gateways: GatewayProcess[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-login-'))
  file = join(folder, 'auth.json')
  renewals = []
  shown = []
  gateways = []
  server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      if (request.url !== '/oauth/token') {
        shown.push(`${request.headers.authorization} ${request.headers['chatgpt-account-id']}`)
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(REPLY)
        return
      }
      const { refresh_token: spent } = JSON.parse(Buffer.concat(pieces).toString())
      const reused = renewals.includes(spent)
      renewals.push(spent)
      response.writeHead(reused ? 401 : 200, { 'content-type': 'application/json' })
      const won = { access_token: jwt('new', 3_600), refresh_token: `after-${spent}` }
      // Long enough that everybody comes while it is under way.
      setTimeout(() => response.end(JSON.stringify(reused ? { error: 'refresh_token_reused' } : won)), 300)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await Promise.all(gateways.map(gateway => gateway.stop('SIGKILL')))
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

function jwt(name: string, lifeS: number): string {
  const payload = { name, exp: Math.floor(Date.now() / 1_000) + lifeS }
  return `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`
}

test('all threads of two processes renew a login once, and all calls go out', {
  timeout: TEST_MS_MAX,
}, async () => {
  const tokens = { access_token: jwt('old', -10), refresh_token: 'r-1', account_id: 'acc-1' }
  writeFileSync(file, JSON.stringify({ tokens, kept: 7 }), { mode: 0o644 })
  const { port } = server.address() as AddressInfo
  const yaml = `model_providers:
  - model: chatgpt/gpt-5
    base_url: http://127.0.0.1:${port}/backend-api/codex
    auth: { type: chatgpt, file: ${file}, token_url: "http://127.0.0.1:${port}/oauth/token" }`
  gateways.push(...(await Promise.all([1, 2].map(() => startGateway({ yaml, server: '  shards: 2' })))))
  const calls = Array.from({ length: CALLS }, (_, at) =>
    fetch(`${gateways[at % 2]!.origin}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ model: 'chatgpt/gpt-5', input: 'hi', stream: true }),
    }),
  )
  const replies = await Promise.all(calls)
  const texts = await Promise.all(replies.map(reply => reply.text()))
  expect(replies.map(({ status }) => status)).toEqual(new Array(CALLS).fill(200))
  for (const text of texts) expect(text).toContain('response.completed')
  expect(renewals).toEqual(['r-1'])
  expect(shown).toHaveLength(CALLS)
  expect(new Set(shown).size).toBe(1)
  expect(shown[0]).toMatch(/^Bearer eyJ.* acc-1$/)
  const written = JSON.parse(readFileSync(file, 'utf8'))
  expect(written).toMatchObject({ kept: 7, tokens: { refresh_token: 'after-r-1', account_id: 'acc-1' } })
  expect(shown[0]).toBe(`Bearer ${written.tokens.access_token} acc-1`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['auth.json'])
})
