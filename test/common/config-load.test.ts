// Loading: discovery, the environment, secrets, and what a plan is called.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPlan, maskedPlan, rewrapSecrets, withDemo } from '../../src/common/config/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const load = (env: Record<string, string> = {}, file: string | null = null) =>
  loadPlan({ file, cwd: folder, env })

const TOP = 'version: v0.4.0\nlisteners: []\n'

describe('which file', () => {
  test('config.yaml comes before plano_config.yaml', () => {
    write('plano_config.yaml', `${TOP}model_providers: [{model: openai/old, access_key: k}]`)
    expect(load().plan.providers[0]!.model).toBe('old')
    write('config.yaml', `${TOP}model_providers: [{model: openai/new, access_key: k}]`)
    expect(load().plan.providers[0]!.model).toBe('new')
    expect(load().notes.sources).toEqual(['config.yaml'])
  })

  test('a named file that does not exist is an error with the names nearby', () => {
    write('gateway.yaml', TOP)
    expect(() => load({}, 'gatway.yaml')).toThrow(
      /gatway.yaml \(file\): S06 .* did you mean `gateway.yaml`\?/,
    )
  })

  test('a folder means the usual file inside', () => {
    mkdirSync(join(folder, 'inside'))
    write('inside/config.yaml', `${TOP}server: {shards: 7}`)
    expect(load({}, 'inside').plan.server.shards).toBe(7)
  })
})

describe('no file', () => {
  test('keys in the environment come first; the rest passes credentials on', () => {
    const { plan, notes, demoWanted } = load({ GROQ_API_KEY: 'gsk-1', ANTHROPIC_API_KEY: 'sk-2' })
    expect(plan.providers.map(one => one.wildcardPrefix)).toEqual([
      'anthropic',
      'groq',
      'openai',
      'gemini',
      'deepseek',
      'mistral',
      'digitalocean',
      'vercel',
      'openrouter',
      'edenai',
    ])
    expect(plan.providers.map(one => one.passthroughAuth)).toEqual([false, false, ...Array(8).fill(true)])
    expect(plan.providers.some(one => one.isDefault)).toBe(false)
    expect(notes.found).toEqual(['ANTHROPIC_API_KEY', 'GROQ_API_KEY'])
    expect(notes.missing).toContain('OPENAI_API_KEY')
    expect(demoWanted).toBe(false)
    expect(plan.listeners).toMatchObject([{ type: 'model', name: 'llm', address: '0.0.0.0', port: 12_000 }])
  })

  test('without any key the demo is wanted and becomes the default', () => {
    const { plan, demoWanted } = load()
    expect(demoWanted).toBe(true)
    const grown = withDemo(plan, 'http://127.0.0.1:1234')
    expect(grown.providers.at(-1)).toMatchObject({
      name: 'demo/echo',
      origin: 'http://127.0.0.1:1234',
      isDefault: true,
    })
    expect(grown.hash).not.toBe(plan.hash)
  })

  test('SLUICE_DEMO keeps the demo beside real keys, and a real default stays the default', () => {
    const { plan, demoWanted } = load({ OPENAI_API_KEY: 'sk', SLUICE_DEMO: '1' })
    expect(demoWanted).toBe(true)
    expect(withDemo(plan, 'http://127.0.0.1:1').providers.at(-1)!.isDefault).toBe(false)
    expect(load({ SLUICE_DEMO: '0' }).demoWanted).toBe(false)
  })

  test('SLUICE_PORT moves the listener, and a wrong one is said', () => {
    expect(load({ SLUICE_PORT: '0' }).plan.listeners[0]!.port).toBe(0)
    expect(() => load({ SLUICE_PORT: '70000' })).toThrow(/listeners\[0\]\.port: E60/)
    expect(() => load({ SLUICE_PORT: 'many' })).toThrow(/listeners\[0\]\.port: E60/)
  })

  test('a `.env` beside it counts', () => {
    write('.env', 'export OPENAI_API_KEY="sk-quoted" # mine\n')
    expect(load().plan.providers[0]!.accessKeys[0]!.secret).toBe('sk-quoted')
  })
})

describe('the process', () => {
  test('METRICS_BIND_ADDRESS moves the admin listener where the file does not', () => {
    expect(load({ METRICS_BIND_ADDRESS: '127.0.0.1:0' }).plan.admin).toEqual({
      address: '127.0.0.1',
      port: 0,
      token: null,
    })
    write('config.yaml', `${TOP}admin: {port: 9999}`)
    expect(load({ METRICS_BIND_ADDRESS: '127.0.0.2:1' }).plan.admin).toMatchObject({
      address: '127.0.0.2',
      port: 9_999,
    })
  })

  test('an admin listener that others can reach needs a token', () => {
    expect(() => load({ METRICS_BIND_ADDRESS: '0.0.0.0:9092' })).toThrow(
      /environment METRICS_BIND_ADDRESS: S05 .*needs a token/,
    )
    expect(
      load({ METRICS_BIND_ADDRESS: '0.0.0.0:9092', SLUICE_ADMIN_TOKEN: 'x' }).plan.admin.token!.secret,
    ).toBe('x')
    write('config.yaml', `${TOP}admin: {address: 10.0.0.1}`)
    expect(() => load()).toThrow(/config.yaml:3:18 admin.address: S05/)
  })

  test('SLUICE_SHARDS wins over the file and must be a sensible number', () => {
    write('config.yaml', `${TOP}server: {shards: 3}`)
    expect(load({ SLUICE_SHARDS: '5' }).plan.server.shards).toBe(5)
    expect(load().plan.server.shards).toBe(3)
    expect(() => load({ SLUICE_SHARDS: 'lots' })).toThrow(/environment SLUICE_SHARDS: S04/)
  })
})

describe('secrets', () => {
  const file = () =>
    write('config.yaml', `${TOP}model_providers: [{model: openai/x, access_key: sk-visible-nowhere}]`)

  test('print as *** whichever way a plan is printed', () => {
    file()
    const { plan } = load()
    for (const text of [
      JSON.stringify(plan),
      inspect(plan, { depth: 9 }),
      String(plan.providers[0]!.accessKeys),
    ]) {
      expect(text).not.toContain('visible')
      expect(text).toContain('***')
    }
  })

  test('cross a thread as plain data and can be wrapped and masked there', () => {
    file()
    const clone = structuredClone(load().plan)
    expect(clone.providers[0]!.accessKeys[0]).toEqual({ secret: 'sk-visible-nowhere', weight: 1 })
    expect(JSON.stringify(rewrapSecrets(clone))).not.toContain('visible')
    expect(rewrapSecrets(clone).providers[0]!.accessKeys[0]!.weight).toBe(1)
    expect(JSON.stringify(maskedPlan(clone))).not.toContain('visible')
  })

  test('an alias may be called secret', () => {
    write(
      'config.yaml',
      `${TOP}model_providers: [{model: openai/x, access_key: k}]\nmodel_aliases: {secret: {target: x}}`,
    )
    const { plan } = load()
    expect(rewrapSecrets(plan).aliases).toEqual({ secret: 'openai/x' })
    expect(maskedPlan(plan)).toMatchObject({ aliases: { secret: 'openai/x' } })
  })

  test('in the query of an address are masked where a plan is shown', () => {
    write(
      'config.yaml',
      `${TOP}model_providers: [{model: openai/x, access_key: k, base_url: "http://h/v1?version=2&key=visible&sig=visible"}]`,
    )
    const { plan, notes } = load()
    expect(JSON.stringify([maskedPlan(plan), notes])).not.toContain('visible')
    expect(JSON.stringify(maskedPlan(plan))).toContain('version=2')
  })

  test('in header fields are masked where a plan is shown', () => {
    write(
      'config.yaml',
      `${TOP}model_providers: [{model: openai/x, access_key: k, headers: {X-Api-Key: visible, x-team: search}}]`,
    )
    const shown = JSON.stringify(maskedPlan(load().plan))
    expect(shown).not.toContain('visible')
    expect(shown).toContain('search')
    expect(load().plan.providers[0]!.headers).toEqual(['x-api-key', 'visible', 'x-team', 'search'])
  })

  test('are part of the hash and not shown by it', () => {
    file()
    const before = load().plan.hash
    write('config.yaml', `${TOP}model_providers: [{model: openai/x, access_key: sk-other}]`)
    expect(load().plan.hash).not.toBe(before)
  })
})

describe('the hash', () => {
  test('does not change with blanks, comments, order of keys or style', () => {
    write('config.yaml', `${TOP}model_providers: [{model: openai/x, access_key: k, default: true}]`)
    const plain = load().plan.hash
    write(
      'config.yaml',
      `# a comment\nmodel_providers:\n\n  - default: yes\n    access_key: "k"\n    model: openai/x\nlisteners: []\nversion: v0.4.0\n`,
    )
    expect(load().plan.hash).toBe(plain)
  })

  test('changes with a value and with the order of entries', () => {
    const two = (a: string, b: string) =>
      `${TOP}model_providers: [{model: ${a}, access_key: k}, {model: ${b}, access_key: k}]`
    write('config.yaml', two('openai/x', 'openai/y'))
    const first = load().plan.hash
    write('config.yaml', two('openai/y', 'openai/x'))
    expect(load().plan.hash).not.toBe(first)
  })
})
