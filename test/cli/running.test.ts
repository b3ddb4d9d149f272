// A gateway's life through the command line: up, status, test, agents, logs, restart, down; taken ports and failures.

import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/gateway.ts'
import { expectGolden } from './golden.ts'
import { canPty, masked, newPlace, type Place, type RunOptions, sluice } from './run.ts'

const SECRET = 'sk-never-to-be-shown-0123456789'

function config(port: number, adminPort: number, upstream = 'http://127.0.0.1:9'): string {
  return `version: v0.4.0
listeners: [{ type: model, name: llm, address: 127.0.0.1, port: ${port} }]
model_providers:
  - { model: openai/gpt-4o-mini, base_url: "${upstream}/v1", access_key: $OPENAI_API_KEY, default: true }
model_aliases:
  arch.claude.code.small.fast: { target: openai/gpt-4o-mini }
admin: { port: ${adminPort} }
`
}

const MODES: readonly (readonly [string, RunOptions])[] = canPty
  ? [
      ['pipe', {}],
      ['pty', { pty: true }],
    ]
  : [['pipe', {}]]

describe.each(MODES)('a gateway that runs detached, seen through a %s', (mode, options) => {
  let place: Place
  let ports: number[]
  let run: (...args: string[]) => ReturnType<typeof sluice>
  const golden = async (name: string, ...args: string[]): Promise<void> => {
    const text = masked(place, await run(...args), ports)
    expect(text).not.toContain('never-to-be-shown')
    expectGolden(`running-${name}.${mode}`, text)
  }

  beforeAll(async () => {
    ports = [await freePort(), await freePort()]
    place = newPlace({
      OPENAI_API_KEY: SECRET,
      SLUICE_DEMO: '1',
      SLUICE_ADMIN_TOKEN: 'never-to-be-shown-admin',
    })
    place.write('config.yaml', config(ports[0]!, ports[1]!))
    run = (...args) => sluice(place, args, options)
  })

  afterAll(async () => {
    await sluice(place, ['down', '--all', '--timeout', '1'])
    place.remove()
  })

  test('up waits until every listener answers and says where', async () => {
    await golden('up', 'up')
    expect((await fetch(`http://127.0.0.1:${ports[0]}/healthz`)).status).toBe(200)
  }, 60_000)

  test('its files are the owner’s alone, and hold no key', () => {
    const runs = join(place.home, '.sluice/run')
    const folder = join(runs, readdirSync(runs)[0]!)
    expect(statSync(folder).mode & 0o077).toBe(0)
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
      expect(readFileSync(join(folder, name), 'utf8'), name).not.toContain('never-to-be-shown')
    }
  })

  test('status says that it is ready', () => golden('status', 'status'))

  test('test calls a model through it, plain and streamed', async () => {
    const { out, code } = await run('test', 'demo/echo', '--json')
    expect(code).toBe(0)
    const found = JSON.parse(out.replace(/^[^{]*/, '').replace(/\x1b\[2K|\r/g, '')) as Record<
      string,
      { ok: boolean; text: string }
    >
    expect(found['plain']).toMatchObject({ ok: true, status: 200 })
    expect(found['streamed']!.text).toContain('You said')
    expect(String(found['gateway'])).toContain('the running gateway')
  })

  test('test says why a call fails, without the key', async () => {
    const { out, code } = await run('test', 'openai')
    expect(code).toBe(1)
    expect(out).toContain('failed')
    expect(out).not.toContain('never-to-be-shown')
  })

  test('cli-agent starts the agent with the environment that leads here', async () => {
    const agent = place.write(
      'claude',
      '#!/bin/sh\nenv | grep -E "^(ANTHROPIC_|NO_PROXY|API_TIMEOUT_MS)" | sort\necho "args $*"\n',
    )
    chmodSync(agent, 0o755)
    const env = { PATH: `${place.folder}:${place.env['PATH']}` }
    const ran = await sluice(place, ['cli_agent', 'claude', '--settings', '{"a":1}', '--', '--print', 'hi'], {
      ...options,
      env,
    })
    expectGolden(`running-cli-agent.${mode}`, masked(place, ran, ports))
  })

  test('reload takes a changed file, rollback goes back, and both are in the log', async () => {
    const old = config(ports[0]!, ports[1]!)
    place.write(
      'config.yaml',
      old.replace('model_aliases:', 'model_aliases:\n  new-name: { target: openai/gpt-4o-mini }'),
    )
    const hash = async (): Promise<string> => {
      const reply = await fetch(`http://127.0.0.1:${ports[1]}/config`)
      return ((await reply.json()) as { hash: string }).hash
    }
    const reloaded = await run('reload')
    expect(reloaded.code, reloaded.out + reloaded.err).toBe(0)
    const young = await hash()
    const back = await run('rollback')
    expect(back.code, back.out + back.err).toBe(0)
    expect(await hash()).not.toBe(young)
    const lines = (await run('logs', '--level', 'info')).out
    expect(lines).toContain('configuration loaded')
    expect(lines).not.toContain('never-to-be-shown')
    expect((await run('logs', '--level', 'error')).out).not.toContain('configuration loaded')
    place.write('config.yaml', old)
  }, 60_000)

  test('up for another file refuses the taken port and names who holds it', async () => {
    place.write('other.yaml', config(ports[0]!, 0))
    const { out, err, code } = await run('up', 'other.yaml')
    expect(code).toBe(1)
    expect(out + err).toContain(`port ${ports[0]} is taken`)
    if (process.platform === 'linux') expect(out + err).toContain('by the gateway of config.yaml')
  })

  test('a wrong file does not end the gateway that runs', async () => {
    place.write('config.yaml', config(ports[0]!, ports[1]!).replace('openai/gpt-4o-mini', 'gpt-4o-mini'))
    const { out, err, code } = await run('restart')
    expect(code).toBe(1)
    expect(out + err).toContain('E13')
    expect((await run('status')).code).toBe(0)
    place.write('config.yaml', config(ports[0]!, ports[1]!))
  })

  test('restart replaces it', () => golden('restart', 'restart'), 60_000)

  test('down stops it and says that nothing was cut; again there is nothing to stop', async () => {
    await golden('down', 'down')
    await expect(fetch(`http://127.0.0.1:${ports[0]}/healthz`)).rejects.toThrow()
    expect((await run('down')).out).toContain('no gateway was running')
    expect((await run('status')).code).toBe(1)
  })

  test('the log of a gateway that has ended can still be read', async () => {
    expect((await run('logs', '--debug')).out).toContain('nothing was cut')
  })
})

describe('a gateway that cannot start', () => {
  let place: Place
  let holder: Server
  let port: number

  beforeAll(async () => {
    place = newPlace({ OPENAI_API_KEY: SECRET })
    holder = createServer().listen(0, '127.0.0.1')
    await new Promise(done => holder.once('listening', done))
    port = (holder.address() as { port: number }).port
  })

  afterAll(() => {
    holder.close()
    place.remove()
  })

  test('names the program that holds its port', async () => {
    place.write('config.yaml', config(port, 0))
    const { err, code } = await sluice(place, ['up'])
    expect(code).toBe(1)
    if (process.platform === 'linux')
      expect(err).toContain(`port ${port} is taken by node (pid ${process.pid})`)
    expect((await sluice(place, ['doctor', '--offline'])).out).toContain(`taken by node (pid ${process.pid})`)
  })

  test('says the reason, not the name of a log, and leaves nothing behind', async () => {
    const text = config(0, 0).replace(
      ', port: 0 }',
      ', port: 0, tls: { certificate_file: cert.pem, key_file: key.pem } }',
    )
    place.write('config.yaml', text)
    place.write('cert.pem', 'no certificate')
    place.write('key.pem', 'no key')
    const { err, code } = await sluice(place, ['up'])
    expect(code).toBe(1)
    expect(err).not.toContain('.log')
    expect(err).toMatch(/cannot start: .+|cert\.pem/)
    expect((await sluice(place, ['status'])).code).toBe(1)
  }, 60_000)
})
