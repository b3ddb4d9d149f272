// What a person reads at the start.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPlan, withDemo } from '../../src/common/config/index.ts'
import { startLines } from '../../src/start-lines.ts'

type Env = Readonly<Record<string, string>>

function linesOf(env: Env, yaml: string | null = null): string[] {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-lines-'))
  try {
    const file = yaml === null ? null : 'gateway.yaml'
    if (file !== null) writeFileSync(join(cwd, file), yaml!)
    const loaded = loadPlan({ file, cwd, env })
    const plan = loaded.demoWanted ? withDemo(loaded.plan, 'http://127.0.0.1:1') : loaded.plan
    const ports = new Map(plan.listeners.map(({ name, port }) => [name, port === 0 ? 4_000 : port]))
    const facts = { plan, notes: loaded.notes, version: '1.2.3', ports, adminPort: 9_092 }
    return startLines({ ...facts, shards: 2, acceptor: 'uws' })
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** The text behind a label, continuation lines included. */
function part(lines: readonly string[], label: string): string {
  const from = lines.findIndex(line => line.startsWith(`  ${label} `))
  if (from === -1) return ''
  const rest = lines.slice(from + 1)
  const next = rest.findIndex(line => !line.startsWith('   '))
  return [lines[from]!, ...rest.slice(0, next === -1 ? rest.length : next)]
    .map(line => line.slice(13))
    .join('\n')
}

function posted(lines: readonly string[]): { url: string; model: string; line: string } {
  const line = part(lines, 'try')
  const body = JSON.parse(/-d '(.*)'/.exec(line)![1]!) as { model: string }
  return { url: /https?:\S+/.exec(line)![0], model: body.model, line }
}

describe('without anything', () => {
  const lines = linesOf({})

  test('the demo is served and labelled, and what was looked for is named', () => {
    expect(lines[0]).toMatch(/^sluice 1\.2\.3, plan [0-9a-f]{12} from environment$/)
    expect(part(lines, 'listening')).toBe('http://0.0.0.0:12000 (llm)')
    expect(part(lines, 'models')).toContain(
      'demo/echo (demo: built in, repeats what it hears; not a model, default)',
    )
    expect(part(lines, 'models')).toContain('openai/*, anthropic/*, gemini/*')
    expect(part(lines, 'found')).toBe('')
    expect(part(lines, 'not found')).toContain('OPENAI_API_KEY, ANTHROPIC_API_KEY')
    expect(part(lines, 'threads')).toBe('2 shards, uws acceptor')
  })

  test('the line to paste asks the demo on this machine', () => {
    expect(posted(lines)).toMatchObject({
      url: 'http://127.0.0.1:12000/v1/chat/completions',
      model: 'demo/echo',
    })
  })
})

describe('with a key in the environment', () => {
  const lines = linesOf({ ANTHROPIC_API_KEY: 'sk-ant-very-secret-000000' })

  test('it says where the models came from and never shows the key', () => {
    expect(part(lines, 'models')).toMatch(/^anthropic\/\* \(env ANTHROPIC_API_KEY\)/)
    expect(part(lines, 'found')).toBe('ANTHROPIC_API_KEY')
    expect(part(lines, 'not found')).not.toContain('ANTHROPIC')
    expect(lines.join('\n')).not.toContain('very-secret')
    expect(lines.join('\n')).not.toContain('demo')
  })

  test('the line to paste names a real model of that vendor', () => {
    const { model, line } = posted(lines)
    expect(model).toMatch(/^anthropic\/claude-/)
    expect(line).not.toContain('authorization')
  })
})

describe('with a file', () => {
  const yaml = `
version: v0.4.0
listeners:
  - { type: model, name: main, address: 127.0.0.1, port: 8080 }
model_providers:
  - { model: groq/llama-x, access_key: k-1234567 }
  - { model: openai/gpt-4o-mini, access_key: k-7654321, default: true }
`

  test('each model has its line of the file, and the default is tried', () => {
    const lines = linesOf({}, yaml)
    expect(lines[0]).toContain('from gateway.yaml')
    expect(part(lines, 'models')).toBe(
      'groq/llama-x (gateway.yaml:6)\nopenai/gpt-4o-mini (gateway.yaml:7, default)',
    )
    expect(posted(lines)).toMatchObject({ model: 'openai/gpt-4o-mini' })
    expect(posted(lines).url).toBe('http://127.0.0.1:8080/v1/chat/completions')
  })

  test('a hundred models do not push everything else off the screen', () => {
    const many = Array.from(
      { length: 100 },
      (_, at) => `  - { model: openai/m-${at}, access_key: k-1234567 }`,
    )
    const lines = linesOf({}, `${yaml}${many.join('\n')}\n`)
    expect(lines.length).toBeLessThan(30)
    expect(part(lines, 'models')).toContain('and 90 more at /v1/models')
  })
})

describe('with a proxy', () => {
  test('each is named with what it is for, and what goes past it, without credentials', () => {
    const lines = linesOf({
      https_proxy: 'http://ali:sesame@proxy.corp:3128',
      HTTP_PROXY: 'https://other.corp',
      NO_PROXY: 'corp.test,10.0.0.0/8',
    })
    expect(part(lines, 'proxy')).toBe(
      'http://***@proxy.corp:3128 for https upstreams\n' +
        'https://other.corp:443 for http upstreams\n' +
        'none for this machine, corp.test, 10.0.0.0/8',
    )
    expect(lines.join('\n')).not.toContain('sesame')
    const one = linesOf({ ALL_PROXY: 'proxy.corp:3128', no_proxy: Array.from('abcdefghij').join(',') })
    expect(part(one, 'proxy')).toBe(
      'http://proxy.corp:3128 for every upstream\nnone for this machine, a, b, c, d, e, f, g, h, and 2 more',
    )
  })
})
