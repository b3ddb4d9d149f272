// The whole process as a user runs it: start, serve, drain, end, and what happens when something else does.

import { type ChildProcess, spawn } from 'node:child_process'
import { connect, createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseExposition } from '../../bench/load/measure/exposition.ts'
import { freePort, type GatewayOptions, type GatewayProcess, startGateway } from '../support/gateway.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CHAT = '/v1/chat/completions'

/** Two processes at a time, beside other tests on the same two cores. */
vi.setConfig({ testTimeout: 60_000 })

const started: GatewayProcess[] = []
const servers: Server[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  for (const gateway of started.splice(0)) {
    gateway.process.kill('SIGKILL')
    await gateway.exited
  }
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of servers.splice(0)) server.close()
})

async function start(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const gateway = await startGateway({ zeroConfig: true, ...options })
  started.push(gateway)
  return gateway
}

function chat(gateway: GatewayProcess, text: string, stream = false): Promise<Response> {
  const body = { model: 'demo/echo', stream, messages: [{ role: 'user', content: text }] }
  return fetch(gateway.origin + CHAT, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Some twenty words take the demo half a second and more to say. */
const LONG = Array.from({ length: 400 }, (_, at) => `word${at}`).join(' ')

async function readiness(gateway: GatewayProcess): Promise<{ status: number; reasons: string[] }> {
  const reply = await fetch(`${gateway.adminOrigin}/readyz`)
  const { reasons } = (await reply.json()) as { reasons: string[] }
  return { status: reply.status, reasons }
}

async function metric(
  gateway: Pick<GatewayProcess, 'adminOrigin'>,
  name: string,
  labels: object = {},
): Promise<number> {
  const text = await (await fetch(`${gateway.adminOrigin}/metrics`)).text()
  const wanted = Object.entries(labels)
  return parseExposition(text)
    .filter(sample => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value))
    .reduce((total, sample) => total + sample.value, 0)
}

describe('without any configuration', () => {
  test('it says what it serves, and its curl line works when pasted', async () => {
    const gateway = await start()
    const text = gateway.output()
    expect(text).toMatch(/listening +http:\/\/0\.0\.0\.0:\d+ \(llm\)/)
    expect(text).toMatch(/demo\/echo \(demo: built in/)
    expect(text).toMatch(/not found +OPENAI_API_KEY/)
    const line = /try +(curl .*)/.exec(text)?.[1]
    expect(line).toBeDefined()
    const said = await shell(line!)
    expect(JSON.parse(said)).toMatchObject({ object: 'chat.completion', model: 'echo' })
  })

  test('the admin listener tells of health, of the plan without secrets, and of what was counted', async () => {
    const gateway = await start({ env: { OPENAI_API_KEY: 'sk-secret-of-a-test-000', SLUICE_DEMO: '1' } })
    await (await chat(gateway, 'Hello')).json()
    expect(await readiness(gateway)).toEqual({ status: 200, reasons: [] })
    expect((await fetch(`${gateway.origin}/healthz`)).status).toBe(200)
    const config = await (await fetch(`${gateway.adminOrigin}/config`)).text()
    expect(config).not.toContain('sk-secret')
    expect(JSON.parse(config)).toMatchObject({ epoch: 1, plan: { listeners: [{ name: 'llm' }] } })
    expect(gateway.output()).not.toContain('sk-secret')
    expect(await metric(gateway, 'sluice_exchanges_total', { endpoint: CHAT, outcome: 'ok' })).toBe(1)
    expect(await metric(gateway, 'brightstaff_llm_tokens_total', { kind: 'prompt' })).toBeGreaterThan(0)
    expect(await metric(gateway, 'sluice_shards', { state: 'ready' })).toBe(1)
    expect(await metric(gateway, 'sluice_loop_delay_seconds_count')).toBeGreaterThan(0)
  })
})

test('with a certificate it serves TLS on its listener', async () => {
  const tls = resolve(ROOT, 'test/fixtures/tls')
  const files = `{ certificate_file: ${join(tls, 'localhost.pem')}, key_file: ${join(tls, 'localhost.key')} }`
  const gateway = await start({ zeroConfig: false, server: `  tls: ${files}` })
  const line = /try +(curl .*)/.exec(gateway.output())![1]!
  expect(line).toContain('curl -k https://127.0.0.1:')
  expect(JSON.parse(await shell(line))).toMatchObject({ object: 'chat.completion' })
})

describe('it does not start', () => {
  test('on a port that another Sluice has: the message names the port, the exit code is 2', async () => {
    const first = await start()
    const port = Number(new URL(first.origin).port)
    const second = await start({ port, allowExit: true })
    expect(await second.exited).toBe(2)
    expect(second.output()).toMatch(new RegExp(`cannot start: port ${port} on 0\\.0\\.0\\.0 is taken`))
    expect((await chat(first, 'Hello')).status).toBe(200)
  })

  test('when two start on one port at the same moment: exactly one does', async () => {
    const port = await freePort()
    const both = await Promise.all([start({ port, allowExit: true }), start({ port, allowExit: true })])
    const codes = both.map(gateway => gateway.process.exitCode)
    expect([...codes].sort()).toEqual([2, null].sort())
    expect((await chat(both[codes.indexOf(null)]!, 'Hello')).status).toBe(200)
  })

  test('on a port that another program has', async () => {
    const port = await freePort()
    const server = createServer()
    servers.push(server)
    await new Promise<void>(done => server.listen(port, '0.0.0.0', done))
    const gateway = await start({ port, allowExit: true })
    expect(await gateway.exited).toBe(2)
    expect(gateway.output()).toContain(`port ${port} on 0.0.0.0 is taken by another process`)
  })

  test('with a wrong configuration: exit code 1', async () => {
    const gateway = await start({ env: { SLUICE_SHARDS: 'many' }, allowExit: true })
    expect(await gateway.exited).toBe(1)
    expect(gateway.output()).toContain('SLUICE_SHARDS')
  })
})

describe.each(['auto', 'node'])('with the %s acceptor, a signal', acceptor => {
  const server = `  acceptor: ${acceptor}`

  test('ends an idle process at once with code 0, kept connections included', async () => {
    const gateway = await start({ zeroConfig: false, server })
    await (await chat(gateway, 'Hello')).json()
    const startMs = performance.now()
    expect(await gateway.stop()).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(3_000)
    expect(gateway.output()).toContain('nothing was cut')
  })

  test('lets a running stream finish, while nobody new is let in and readiness says why', async () => {
    const gateway = await start({ zeroConfig: false, server })
    const reply = await chat(gateway, LONG.slice(0, 300), true)
    const body = reply.body!.getReader()
    await body.read()
    gateway.process.kill('SIGTERM')
    await poll(async () => (await readiness(gateway)).status === 503)
    expect((await readiness(gateway)).reasons[0]).toBe('draining')
    await expect(fetch(`${gateway.origin}/healthz`)).rejects.toThrow()
    let text = ''
    for (let piece = await body.read(); !piece.done; piece = await body.read()) {
      text += Buffer.from(piece.value).toString()
    }
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(await gateway.exited).toBe(0)
  })

  test('cuts what does not finish in time, with the error of its dialect, and ends with code 3', async () => {
    const gateway = await start({ zeroConfig: false, server: `${server}\n  drain: 300ms` })
    const reply = await chat(gateway, LONG, true)
    const text = reply.text()
    gateway.process.kill('SIGTERM')
    expect(await text).toMatch(/"error":\{[^}]*shutting down/)
    expect(await text).not.toContain('[DONE]')
    expect(await gateway.exited).toBe(3)
    expect(gateway.output()).toContain('1 exchange was cut')
  })

  test('given twice ends it at once', async () => {
    const gateway = await start({ zeroConfig: false, server })
    const reply = await chat(gateway, LONG, true)
    const text = reply.text().catch(() => 'broken')
    gateway.process.kill('SIGTERM')
    await poll(async () => (await readiness(gateway)).status === 503)
    const startMs = performance.now()
    gateway.process.kill('SIGTERM')
    expect(await gateway.exited).toBe(3)
    expect(performance.now() - startMs).toBeLessThan(1_500)
    expect(await text).not.toContain('[DONE]')
  })
})

describe('a log that nobody reads', () => {
  test('loses lines, which are counted, and holds up nobody', async () => {
    const port = await freePort()
    const adminPort = await freePort()
    // The reader of standard output exists and never reads.
    const child = spawn(process.execPath, ['dist/src/main.js'], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'] ?? '',
        LOG_LEVEL: 'debug',
        SLUICE_PORT: String(port),
        METRICS_BIND_ADDRESS: `127.0.0.1:${adminPort}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    child.stdout!.pause()
    let errors = ''
    child.stderr!.on('data', chunk => (errors += String(chunk)))
    const exited = new Promise(done => child.once('exit', done))
    await poll(async () => /ready in/.test(errors), 15_000)
    const admin = { adminOrigin: `http://127.0.0.1:${adminPort}` }
    await askInVain(port, ASKED)
    expect(await metric(admin, 'sluice_log_lines_dropped_total')).toBeGreaterThan(0)
    // Every one of them was answered meanwhile.
    const refused = { endpoint: 'not_found', outcome: 'refused' }
    expect(await metric(admin, 'sluice_exchanges_total', refused)).toBe(ASKED)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  })
})

/** Lines of some 380 bytes; less than 1 MB of them fits into all queues and the pipe together. */
const ASKED = 4_000

/** The cheapest exchange with a line: a path that does not exist. Resolves when all were answered. */
function askInVain(port: number, times: number): Promise<void> {
  return new Promise((done, fail) => {
    const request = `GET /nothing HTTP/1.1\r\nhost: x\r\nx-request-id: ${'x'.repeat(120)}\r\n\r\n`
    const burst = 4
    let answered = 0
    let torn = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request.repeat(burst)))
    socket.on('error', fail)
    socket.on('close', () => fail(new Error(`closed after ${answered} answers`)))
    socket.on('data', bytes => {
      const before = Math.floor(answered / burst)
      const replies = (torn + bytes.toString('latin1')).split('HTTP/1.1 404')
      torn = replies.at(-1)!.slice(-11)
      answered += replies.length - 1
      if (answered >= times) done(void socket.destroy())
      else if (Math.floor(answered / burst) > before) socket.write(request.repeat(burst))
    })
  })
}

function shell(line: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('/bin/sh', ['-c', `${line} -s`])
    let text = ''
    child.stdout.on('data', chunk => (text += String(chunk)))
    child.once('error', fail)
    child.once('exit', () => done(text))
  })
}

async function poll(holds: () => Promise<boolean>, waitMs = 10_000): Promise<void> {
  const endMs = performance.now() + waitMs
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not so within ${waitMs} ms: ${String(holds)}`)
    await new Promise(done => setTimeout(done, 30))
  }
}
