// What a stranger does: installs the package into an empty folder, starts it, calls it, stops it.

import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../support/gateway.ts'
import { newPlace, type Place, ROOT } from './run.ts'

const INSTALL_MS_MAX = 75_000
const STEP_MS_MAX = 60_000
const execute = promisify(execFile)

/** Outside of continuous integration there may be no registry, and then nothing can be said. */
function registryAnswers(): boolean {
  return spawnSync('npm', ['view', 'commander@14.0.3', 'version'], { timeout: 20_000 }).status === 0
}

const possible = (process.env['CI'] ?? '') !== '' || registryAnswers()
if (!possible)
  console.warn('SKIPPED: the registry cannot be reached, so the packed package cannot be installed')

let place: Place

beforeAll(() => {
  place = newPlace()
})

afterAll(async () => {
  await execute('npx', ['--no-install', 'sluice', 'down', '--all'], {
    cwd: join(place.folder, 'app'),
    env,
  }).catch(() => {})
  place.remove()
}, STEP_MS_MAX)

let env: NodeJS.ProcessEnv = {}

test.skipIf(!possible)(
  'the packed package installs into an empty folder, starts without a file, answers and stops',
  async () => {
    const app = join(place.folder, 'app')
    mkdirSync(app)
    writeFileSync(join(app, 'package.json'), '{"name":"app","private":true}')
    // The registry and its settings are the tester's; home and everything else are not.
    const { stdout } = await execute(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', place.folder],
      {
        cwd: ROOT,
        maxBuffer: 64 * 1024 * 1024,
      },
    )
    const { filename, files } = (JSON.parse(stdout) as { filename: string; files: { path: string }[] }[])[0]!
    const strangers = files
      .map(({ path }) => path)
      .filter(path => /^(?:test|bench|dist\/test|dist\/bench|\.)/.test(path))
    expect(strangers).toEqual([])
    const install = [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(place.folder, filename),
    ]
    await execute('npm', install, { cwd: app, timeout: INSTALL_MS_MAX })

    const port = await freePort()
    env = { ...place.env, METRICS_BIND_ADDRESS: '127.0.0.1:0' }
    const run = (...args: string[]) =>
      execute('npx', ['--no-install', 'sluice', ...args], { cwd: app, env, timeout: STEP_MS_MAX })
    const up = await run('up', '--listener-port', String(port))
    expect(up.stdout).toContain(`http://127.0.0.1:${port}`)
    expect(up.stdout).toContain('ready')
    const reply = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo/echo', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    expect(reply.status).toBe(200)
    expect(await reply.text()).toContain('Hello')
    expect((await run('down')).stdout).toContain('nothing was cut')
  },
  INSTALL_MS_MAX + 2 * STEP_MS_MAX,
)
