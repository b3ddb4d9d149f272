// Every way to another configuration, in a whole process: the file, a signal, the admin listener, and back.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { freePort } from '../support/gateway.ts'
import { FileGateway } from '../support/reload-run.ts'

vi.setConfig({ testTimeout: 60_000 })

const ROOT = resolve(import.meta.dirname, '../..')
const TLS = resolve(ROOT, 'test/fixtures/tls')
const TOKEN = 'a-token-of-a-test'

let folder = ''
let upstream: FakeUpstream
let gateway: FileGateway | null = null
let port = 0
let adminPort = 0

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reload-process-'))
  upstream = await startFakeUpstream()
  port = await freePort()
  adminPort = await freePort()
})
afterEach(async () => {
  await gateway?.stop('SIGKILL')
  await upstream.close()
  rmSync(folder, { recursive: true })
})

interface FileFacts {
  readonly model?: string
  readonly key?: string
  readonly port?: number
  readonly listener?: string
  readonly server?: string
  readonly token?: string
  readonly rest?: string
}

function write(facts: FileFacts = {}): void {
  const { model = 'one', key = 'file:key.txt', listener = '', server = 'shards: 2', rest = '' } = facts
  const text = [
    'version: v0.4.0',
    `listeners: [{ type: model, name: llm, address: 127.0.0.1, port: ${facts.port ?? port}${listener} }]`,
    `model_providers: [{ name: m, model: openai/${model}, access_key: '${key}', base_url: '${upstream.origin}' }]`,
    `server: { ${server} }`,
    `admin: { address: 127.0.0.1, port: ${adminPort}, token: ${facts.token ?? TOKEN} }`,
    rest,
  ]
  writeFileSync(join(folder, 'gateway.yaml'), `${text.join('\n')}\n`)
}

async function start(): Promise<FileGateway> {
  gateway = new FileGateway(ROOT, join(folder, 'gateway.yaml'), adminPort, TOKEN)
  await gateway.ready()
  return gateway
}

/** Which model and key a call arrives with. */
async function arrivesWith(at = port): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${at}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await reply.text()
  const sent = upstream.requests.at(-1)!
  return `${sent.json().model} ${sent.header('authorization')}`
}

async function poll(holds: () => Promise<boolean>, what: string): Promise<void> {
  const untilMs = performance.now() + 15_000
  while (!(await holds().catch(() => false))) {
    if (performance.now() > untilMs) throw new Error(`not so in time: ${what}\n${gateway?.output}`)
    await new Promise(done => setTimeout(done, 20))
  }
}

interface Health {
  readonly config: { ok: boolean; errors: string[]; restart: string[] }
}

test('a file that changes is used; one that is wrong is not, which readiness tells and the log', async () => {
  writeFileSync(join(folder, 'key.txt'), 'first-key\n')
  write()
  const running = await start()
  expect(await arrivesWith()).toBe('one Bearer first-key')
  write({ model: 'two' })
  await poll(async () => (await arrivesWith()) === 'two Bearer first-key', 'the file is used')

  // A secret that stands in a file of its own.
  writeFileSync(join(folder, 'key.txt'), 'second-key\n')
  await poll(async () => (await arrivesWith()) === 'two Bearer second-key', 'the key is used')

  write({ model: 'three', server: 'drain: soon' })
  const ready = async () => (await running.get('/readyz')) as Health
  await poll(async () => !(await ready()).config.ok, 'the wrong file is noticed')
  const reply = await fetch(`${running.admin}/readyz`)
  expect(reply.status).toBe(200)
  const { errors } = ((await reply.json()) as Health).config
  expect(errors).toEqual([expect.stringMatching(/gateway\.yaml:4:\d+ server\.drain: E01 must be a duration/)])
  expect(running.output).toContain('configuration refused; the plan in use stays')
  expect(await running.metrics()).toMatch(/^sluice_config_ok 0$/m)
  expect(await arrivesWith()).toBe('two Bearer second-key')

  write({ model: 'three', server: 'shards: 3' })
  await poll(async () => (await ready()).config.ok, 'the right file is used again')
  expect(await arrivesWith()).toBe('three Bearer second-key')
  expect((await ready()).config.restart).toEqual(['server.shards'])
  expect(running.output).toContain('takes effect after a restart: server.shards')
  expect(running.output).not.toMatch(/first-key|second-key/)
})

test('the admin listener reloads, tells what changed, and goes back; the file’s own tests stand in the way', async () => {
  write({ key: 'key-one' })
  const running = await start()
  const first = await running.hash()
  write({ key: 'key-two', rest: 'model_aliases: { fast: { target: m } }' })
  // Whoever comes first, the watch or the request: the change is used once.
  await running.reload()
  expect(await arrivesWith()).toBe('one Bearer key-two')

  const promised = 'tests: [{ name: m is new, request: { model: m }, expect: { model: openai/new } }]'
  write({ key: 'key-three', rest: promised })
  const refused = await running.post('/config/reload')
  expect(refused.status).toBe(422)
  expect(JSON.stringify(refused.json)).toContain('S19 the test `m is new` fails: expected model `openai/new`')
  expect(await arrivesWith()).toBe('one Bearer key-two')

  const { json } = await running.post('/config/rollback')
  expect(json).toMatchObject({ result: 'used', hash: first, source: 'rollback' })
  expect(await arrivesWith()).toBe('one Bearer key-one')
  // Long enough for the watch to find what the requests have read already: it must not undo the way back.
  await new Promise(done => setTimeout(done, 500))
  expect(await arrivesWith()).toBe('one Bearer key-one')
  const history = (await running.get('/config/history')) as { history: Record<string, unknown>[] }
  expect(history.history.map(one => one['result'])).toEqual(['used', 'refused', 'used', 'started'])
  expect(history.history[2]!['changed']).toEqual(
    expect.arrayContaining(['providers[m].accessKeys[0]', 'aliases.fast']),
  )
  expect(JSON.stringify(history)).not.toMatch(/key-(?:one|two|three)/)
  expect((await running.post('/config/rollback?to=ffffffff')).status).toBe(409)
})

test('SIGHUP reads the environment’s file again, and a changed admin token is the one that counts', async () => {
  write({ key: '$THE_KEY' })
  writeFileSync(join(folder, '.env'), 'THE_KEY=from-env-one\n')
  const running = await start()
  expect(await arrivesWith()).toBe('one Bearer from-env-one')
  writeFileSync(join(folder, '.env'), 'THE_KEY=from-env-two\n')
  running.child.kill('SIGHUP')
  await poll(async () => (await arrivesWith()) === 'one Bearer from-env-two', 'the variable is used')
  write({ key: '$THE_KEY', token: 'another-token' })
  await poll(async () => (await running.post('/config/reload')).status === 401, 'the old token is refused')
  expect(await running.stop()).toBe(0)
})

test('a port that is taken leaves everything as it was', async () => {
  write({ key: 'key-one' })
  const running = await start()
  const taken = Number(new URL(upstream.origin).port)
  write({ key: 'key-two', port: taken })
  const { status, json } = await running.post('/config/reload')
  expect(status).toBe(409)
  expect(json).toMatchObject({
    result: 'failed',
    errors: [`port ${taken} on 127.0.0.1 is taken by another process`],
  })
  expect(await arrivesWith()).toBe('one Bearer key-one')
})

/** The serial number of the certificate that a new connection is shown. */
function certificate(): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      done(socket.getPeerX509Certificate()!.serialNumber)
      socket.destroy()
    })
    socket.on('error', fail)
  })
}

const serialOf = (name: string) => new X509Certificate(readFileSync(join(TLS, name))).serialNumber

test.each(['auto', 'node'])(
  'with the %s acceptor a renewed certificate is shown to new connections, and a stream goes on',
  async acceptor => {
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    copyFileSync(join(TLS, 'localhost.pem'), cert)
    copyFileSync(join(TLS, 'localhost.key'), key)
    const listener = `, tls: { certificate_file: ${cert}, key_file: ${key} }`
    write({ key: 'key-one', listener, server: `acceptor: ${acceptor}, shards: 2` })
    await start()
    expect(await certificate()).toBe(serialOf('localhost.pem'))
    upstream.behave({ frames: 40, delayBetweenFramesMs: 50 })
    const text = streamed()
    await poll(async () => upstream.requests.length === 1, 'the stream runs')
    const silent = await Promise.all(Array.from({ length: 8 }, connected))
    copyFileSync(join(TLS, 'other.pem'), cert)
    copyFileSync(join(TLS, 'other.key'), key)
    await poll(async () => (await certificate()) === serialOf('other.pem'), 'the new certificate is shown')
    expect(upstream.requests[0]!.finishedAtMs, 'the stream is still running').toBeNull()
    expect((await text).endsWith('data: [DONE]\n\n')).toBe(true)
    // Both shards, several times.
    for (let at = 0; at < 10; at += 1) expect(await certificate()).toBe(serialOf('other.pem'))
    // Nothing has run on the old listener for some of its looks, and connections without a request are still served.
    await new Promise(done => setTimeout(done, 2_500))
    expect(await Promise.all(silent.map(statusOf))).toEqual(silent.map(() => 'HTTP/1.1 200'))
  },
)

/** A connection that has asked nothing yet. */
function connected(): Promise<TLSSocket> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => done(socket))
    socket.on('error', fail)
  })
}

/** The answer to the first request of a connection, or that it was cut. */
function statusOf(socket: TLSSocket): Promise<string> {
  return new Promise(done => {
    socket.once('data', piece => done(String(piece).slice(0, 'HTTP/1.1 200'.length)))
    socket.once('close', () => done('cut'))
    if (socket.destroyed) done('cut')
    socket.write('GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  })
}

/** A stream over TLS, in plain HTTP/1.1, until the server closes. */
function streamed(): Promise<string> {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
  return new Promise((done, fail) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n'
      socket.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
    socket.on('data', piece => (text += String(piece)))
    socket.on('error', fail)
    // Without the lengths of chunks.
    socket.on('close', () => done(text.replace(/\r\n0\r\n\r\n$/, '')))
  })
}
