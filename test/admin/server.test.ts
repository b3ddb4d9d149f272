// The admin listener over a real socket.

import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type AdminHealth, type AdminServer, type AdminSource, openAdmin } from '../../src/admin/index.ts'

const TOKEN = 'a-token-nobody-guesses'
let server: AdminServer | null = null

afterEach(async () => {
  await server?.close()
  server = null
})

async function open(change: Partial<AdminSource> = {}, token: string | null = TOKEN): Promise<string> {
  const source: AdminSource = {
    health: () => ({ alive: true, ready: true, reasons: [], config: null }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    config: () => ({ hash: 'abc', plan: {} }),
    history: () => ({ history: [{ result: 'started' }] }),
    reload: async () => ({ result: 'used', document: { result: 'used', hash: 'def' } }),
    rollback: async hash => ({ result: 'used', document: { result: 'used', hash } }),
    ...change,
  }
  server = await openAdmin({ address: '127.0.0.1', port: 0, token: () => token, source })
  return `http://127.0.0.1:${server.port}`
}

describe('looking is free', () => {
  test('health, readiness, metrics and the plan are shown', async () => {
    const origin = await open()
    for (const path of ['/healthz', '/readyz', '/metrics', '/config', '/stats?format=prometheus']) {
      const reply = await fetch(origin + path)
      expect(reply.status, path).toBe(200)
      expect(reply.headers.get('cache-control')).toBe('no-store')
    }
    expect(await (await fetch(`${origin}/metrics`)).text()).toBe('up 1\n')
    expect(await (await fetch(`${origin}/config`)).json()).toEqual({ hash: 'abc', plan: {} })
  })

  test('what dialects can carry is shown for every pair and feature', async () => {
    const reply = await fetch(`${await open()}/capabilities`)
    expect(reply.headers.get('content-type')).toBe('application/json')
    const matrix = (await reply.json()) as { dialects: string[]; prompts: { id: string; cells: object }[] }
    expect(matrix.dialects).toHaveLength(5)
    expect(matrix.prompts.find(({ id }) => id === 'image-by-url')?.cells).toMatchObject({
      'openai-chat': {
        'openai-chat': 'native',
        'anthropic-messages': 'translated',
        'bedrock-converse': 'refused',
      },
    })
  })

  test('readiness and liveness are told apart, with reasons', async () => {
    const health: AdminHealth = { alive: true, ready: false, reasons: ['draining'], config: null }
    const origin = await open({ health: () => health })
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
    const ready = await fetch(`${origin}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toEqual({ status: 'not ready', reasons: ['draining'] })
  })

  test('a configuration that was refused is told, and takes nobody out of service', async () => {
    const config = { ok: false, hash: 'abc', errors: ['config.yaml:1:1 (file): S01 not YAML'] }
    const origin = await open({ health: () => ({ alive: true, ready: true, reasons: [], config }) })
    const ready = await fetch(`${origin}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toEqual({ status: 'ok', reasons: [], config })
    expect(await (await fetch(`${origin}/healthz`)).json()).toEqual({ status: 'ok', reasons: [] })
  })

  test('so are the plans before', async () => {
    const reply = await fetch(`${await open()}/config/history`)
    expect(await reply.json()).toEqual({ history: [{ result: 'started' }] })
  })

  test('HEAD is answered without a body', async () => {
    const origin = await open()
    const reply = await fetch(`${origin}/metrics`, { method: 'HEAD' })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-length')).toBe('5')
    expect(await reply.text()).toBe('')
  })

  test('an unknown path says what there is', async () => {
    const reply = await fetch(`${await open()}/nothing`)
    expect(reply.status).toBe(404)
    expect(JSON.stringify(await reply.json())).toContain('/readyz')
  })

  test('a source that fails is a 500 and not the end', async () => {
    const origin = await open({ metrics: () => Promise.reject(new Error('secret detail')) })
    const reply = await fetch(`${origin}/metrics`)
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('secret detail')
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
  })
})

describe('doing needs the token', () => {
  const bearer = (token: string) => ({ method: 'POST', headers: { authorization: `Bearer ${token}` } })

  test('without it, with a wrong one, and with one in a wrong form', async () => {
    const origin = await open()
    for (const init of [
      { method: 'POST' },
      bearer('wrong'),
      bearer(`${TOKEN}x`),
      { method: 'DELETE', headers: { authorization: TOKEN } },
    ]) {
      const reply = await fetch(`${origin}/config`, init)
      expect(reply.status).toBe(401)
      expect(reply.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test('and nobody has one where none is configured', async () => {
    const origin = await open({}, null)
    expect((await fetch(`${origin}/config`, bearer(''))).status).toBe(401)
    expect((await fetch(`${origin}/config`, bearer('null'))).status).toBe(401)
  })

  test('a reload and a way back are asked for by POST', async () => {
    const origin = await open()
    for (const path of ['/config/reload', '/config/rollback']) {
      expect((await fetch(origin + path, { method: 'POST' })).status, path).toBe(401)
      const looked = await fetch(origin + path)
      expect([looked.status, looked.headers.get('allow')], path).toEqual([405, 'POST'])
    }
    const post = async (path: string) => (await fetch(origin + path, bearer(TOKEN))).json()
    expect(await post('/config/reload')).toEqual({ result: 'used', hash: 'def' })
    expect(await post('/config/rollback')).toEqual({ result: 'used', hash: null })
    expect(await post('/config/rollback?to=0123ab')).toEqual({ result: 'used', hash: '0123ab' })
  })

  test.each([
    ['refused', 422],
    ['failed', 409],
    ['unknown', 409],
    ['unchanged', 200],
  ] as const)('a change that is %s is answered with %d', async (result, status) => {
    const origin = await open({ reload: async () => ({ result, document: { result } }) })
    expect((await fetch(`${origin}/config/reload`, bearer(TOKEN))).status).toBe(status)
  })

  test('the token is the one of the moment', async () => {
    let token = TOKEN
    const source = { reload: async () => ({ result: 'used', document: {} }) } as unknown as AdminSource
    server = await openAdmin({ address: '127.0.0.1', port: 0, token: () => token, source })
    const url = `http://127.0.0.1:${server.port}/config/reload`
    expect((await fetch(url, bearer(TOKEN))).status).toBe(200)
    token = 'another-token'
    expect((await fetch(url, bearer(TOKEN))).status).toBe(401)
    expect((await fetch(url, bearer('another-token'))).status).toBe(200)
  })

  test('with it the answer is about the method', async () => {
    const reply = await fetch(`${await open()}/config`, bearer(TOKEN))
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe('GET, HEAD')
  })
})

describe('the listener is bounded', () => {
  test('a body is not read and ends the connection', async () => {
    const origin = await open()
    const reply = await fetch(`${origin}/config`, { method: 'POST', body: 'x'.repeat(10_000) })
    expect(reply.status).toBe(401)
    expect(reply.headers.get('connection')).toBe('close')
  })

  test('a long header block is refused', async () => {
    const reply = await fetch(`${await open()}/healthz`, { headers: { 'x-long': 'y'.repeat(20_000) } })
    expect(reply.status).toBe(431)
  })

  test('idle connections do not hold up its end', async () => {
    const origin = await open()
    const socket = connect(server!.port, '127.0.0.1')
    await new Promise(done => socket.once('connect', done))
    socket.on('error', () => {})
    await fetch(`${origin}/healthz`)
    const startMs = performance.now()
    await server!.close()
    server = null
    expect(performance.now() - startMs).toBeLessThan(1_000)
    socket.destroy()
  })

  test('a taken port is named', async () => {
    await open()
    const { port } = server!
    const source = {} as AdminSource
    await expect(openAdmin({ address: '127.0.0.1', port, token: () => null, source })).rejects.toThrow(
      `the admin listener cannot listen on 127.0.0.1 port ${port}: the port is taken by another process`,
    )
  })
})
