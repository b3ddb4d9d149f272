// Every command that needs no gateway, in a pipe and in a pseudo-terminal, against golden output.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectGolden } from './golden.ts'
import { canPty, masked, newPlace, type Place, sluice } from './run.ts'

const SECRET = 'sk-never-to-be-shown-0123456789'
const LITERAL = 'sk-literal-in-the-file-0123456789'

const GOOD = `version: v0.4.0
listeners:
  - type: model
    name: llm
    address: 127.0.0.1
    port: 12345
model_providers:
  - model: openai/gpt-4o-mini
    access_key: $OPENAI_API_KEY
    default: true
  - model: anthropic/claude-sonnet-4-5
    access_key: ${LITERAL}
    fallbacks: [openai/gpt-4o-mini]
model_aliases:
  fast: { target: openai/gpt-4o-mini }
routing_preferences:
  - name: code
    description: writing code
    models: [anthropic/claude-sonnet-4-5]
admin: { port: 12346 }
`

const OLD = `# what we had
version: v0.1
llm_providers:
  # the good one
  - model: openai/gpt-4o
    access_key: ${LITERAL}
    default: true
listeners:
  egress_traffic:
    address: 127.0.0.1
    port: 12345
    timeout: 10s
`

const WRONG = `version: v0.4.0
listeners:
  - type: model
    name: llm
    prot: 12000
model_providers:
  - model: openai/gpt-4o
    access_key: ${LITERAL}
  - model: gpt-4o
    access_key: $NOT_SET_ANYWHERE
routing_preferences:
  - name: code
    description: code
    models: [openai/gpt-5o]
`

const WARNED = `version: v0.4.0
listeners: [{ type: model, name: llm, address: 127.0.0.1, port: 12345 }]
model_providers: [{ model: openai/gpt-4o, access_key: $OPENAI_API_KEY }]
overrides: { prompt_target_intent_matching_treshold: 0.5 }
tracing: { random_sampling: 100 }
`

const KEYS = `version: v0.4.0
listeners: [{ type: model, name: llm, address: 127.0.0.1, port: 12345 }]
model_providers:
  - { model: openai/gpt-4o, access_keys: [$OPENAI_API_KEY, { key: "\${OPENAI_API_KEY}", weight: 2 }, ${LITERAL}] }
limits: { rules: [{ name: all, requests: 1, window: 1s }] }
admin: { port: 12346 }
`

const BOTH = `${WARNED}agents: [{ id: a, url: 'host:1' }]
model_aliases: { fast: { target: openai/gpt-5o } }
`

const TESTED = `${GOOD}tests:
  - name: the alias is the small model
    request: { model: fast, messages: [{ role: user, content: Hello }] }
    expect: { model: openai/gpt-4o-mini }
  - name: a promise that does not hold
    request: { model: fast, messages: [{ role: user, content: Hello }] }
    expect: { model: anthropic/claude-sonnet-4-5 }
`

const CASES: readonly (readonly [name: string, ...args: string[]])[] = [
  ['bare'],
  ['version', '--version'],
  ['unknown-command', 'chekc'],
  ['unknown-option', 'check', '--stirct'],
  ['check', 'check', 'good.yaml'],
  ['check-json', 'check', 'good.yaml', '--json'],
  ['check-wrong', 'check', 'wrong.yaml'],
  ['check-wrong-json', 'check', 'wrong.yaml', '--json'],
  ['check-warned', 'check', 'warned.yaml'],
  ['check-warned-strict', 'check', 'warned.yaml', '--strict'],
  ['check-warned-json', 'check', 'warned.yaml', '--strict', '--json'],
  ['check-both', 'check', 'both.yaml'],
  ['check-both-json', 'check', 'both.yaml', '--json'],
  ['check-old', 'check', 'old.yaml'],
  ['check-tests', 'check', 'tested.yaml'],
  ['check-missing', 'check', 'god.yaml'],
  ['explain-key', 'explain', 'listeners[0].port', 'good.yaml'],
  ['explain-default', 'explain', 'server.drain', 'good.yaml'],
  ['explain-secret', 'explain', 'model_providers[0].access_key', 'good.yaml', '--json'],
  ['explain-literal', 'explain', 'model_providers[1].access_key', 'good.yaml'],
  ['explain-migrated', 'explain', 'listeners[0].type', 'old.yaml'],
  ['explain-model', 'explain', 'claude-sonnet-4-5', 'good.yaml'],
  ['explain-alias', 'explain', 'fast', 'good.yaml', '--json'],
  ['explain-keys', 'explain', 'openai/gpt-4o', 'keys.yaml'],
  ['explain-code', 'explain', 'E63'],
  ['explain-unknown', 'explain', 'admin.prot', 'good.yaml'],
  ['migrate', 'migrate', 'old.yaml'],
  ['migrate-json', 'migrate', 'old.yaml', '--json'],
  ['migrate-nothing', 'migrate', 'good.yaml'],
  ['migrate-missing', 'migrate', 'olde.yaml'],
  ['init-list', 'init', '--list-templates'],
  ['init-both', 'init', '--clean', '--template', 'minimal'],
  ['init-unknown', 'init', '--template', 'minimul'],
  ['init-exists', 'init', '--template', 'minimal', '-o', 'good.yaml'],
  ['models', 'models', 'good.yaml'],
  ['models-json', 'models', 'good.yaml', '--json'],
  ['doctor', 'doctor', 'good.yaml', '--offline'],
  ['doctor-json', 'doctor', 'good.yaml', '--offline', '--json'],
  ['doctor-keys', 'doctor', 'keys.yaml', '--offline'],
  ['doctor-wrong', 'doctor', 'wrong.yaml', '--offline'],
  ['test-unknown', 'test', 'opnai', 'good.yaml'],
  ['serve-wrong', 'serve', 'wrong.yaml'],
  ['up-wrong', 'up', '--docker', '--with-tracing', 'wrong.yaml'],
  ['status-none', 'status'],
  ['down-none', 'down'],
  ['logs-none', 'logs'],
  ['reload-none', 'reload'],
  ['rollback-none', 'rollback'],
  ['cli-agent-none', 'cli-agent', 'claude'],
  ['cli-agent-unknown', 'cli_agent', 'vim'],
  ['chatgpt-status', 'chatgpt', 'status'],
  ['chatgpt-logout', 'chatgpt', 'logout'],
  ['trace', 'trace', '--list'],
  ['obs', 'obs', '--port', '4317'],
  ['build', 'build', '--docker'],
]

let place: Place

beforeAll(() => {
  place = newPlace({ OPENAI_API_KEY: SECRET })
  place.write('good.yaml', GOOD)
  place.write('old.yaml', OLD)
  place.write('wrong.yaml', WRONG)
  place.write('warned.yaml', WARNED)
  place.write('keys.yaml', KEYS)
  place.write('both.yaml', BOTH)
  place.write('tested.yaml', TESTED)
})

afterAll(() => place.remove())

describe('in a pipe', () => {
  test.each(CASES)('%s', async (name, ...args) => {
    const text = masked(place, await sluice(place, args))
    expect(text).not.toMatch(/␛|never-to-be-shown|literal-in-the-file/)
    expectGolden(`${name}.pipe`, text)
  })

  test('init asks nobody where nobody is', async () => {
    expectGolden('init-nobody.pipe', masked(place, await sluice(place, ['init'])))
  })

  test('init writes a template, and what it wrote can be served', async () => {
    const ran = await sluice(place, ['init', '--template', 'minimal', '-o', 'deep/new.yaml'])
    expectGolden('init-template.pipe', masked(place, ran))
    const env = { ANTHROPIC_API_KEY: SECRET }
    expect((await sluice(place, ['check', 'deep/new.yaml', '--strict'], { env })).code).toBe(0)
  })

  test('migrate writes what it showed, keeps comments, and then has nothing to do', async () => {
    place.write('older.yaml', OLD)
    expect((await sluice(place, ['migrate', 'older.yaml', '--write'])).code).toBe(0)
    const { readFileSync } = await import('node:fs')
    const text = readFileSync(`${place.folder}/older.yaml`, 'utf8')
    expect(text).toContain('# what we had')
    expect(text).toContain('# the good one')
    expect(text).toContain(LITERAL)
    expect((await sluice(place, ['migrate', 'older.yaml'])).out).toContain("in today's form already")
  })

  test('schema prints the schema that ships', async () => {
    const { readFileSync } = await import('node:fs')
    const { ROOT } = await import('./run.ts')
    const shipped = JSON.parse(readFileSync(`${ROOT}/config/gateway.schema.json`, 'utf8'))
    expect(JSON.parse((await sluice(place, ['schema'])).out)).toEqual(shipped)
  })

  test.each(['bash', 'zsh', 'fish'])('completion for %s names every command', async shell => {
    const { out, code } = await sluice(place, ['completion', shell])
    expect(code).toBe(0)
    for (const name of ['up', 'down', 'check', 'cli-agent', 'rollback'])
      expect(out).toMatch(new RegExp(`\\b${name}\\b`))
  })

  test('completion for bash is read by bash without a word', async () => {
    const { out } = await sluice(place, ['completion', 'bash'])
    const { spawnSync } = await import('node:child_process')
    const script = `${out}\nCOMP_WORDS=(sluice che); COMP_CWORD=1; _sluice; echo "\${COMPREPLY[@]}"`
    const ran = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
    expect(ran.stderr).toBe('')
    expect(ran.stdout.trim()).toBe('check')
  })
})

/** One or two of each command: what a terminal changes is colour and movement, not the words. */
const IN_TERMINAL = new Set([
  'bare',
  'unknown-command',
  'check',
  'check-wrong',
  'check-warned',
  'explain-key',
  'explain-model',
  'migrate',
  'init-list',
  'init-exists',
  'models',
  'doctor',
  'test-unknown',
  'serve-wrong',
  'up-wrong',
  'status-none',
  'down-none',
  'logs-none',
  'reload-none',
  'rollback-none',
  'cli-agent-none',
  'chatgpt-status',
  'chatgpt-logout',
  'trace',
  'obs',
  'build',
])

if (!canPty) console.warn('SKIPPED: no python3, so no pseudo-terminal to try the command line in')

describe.skipIf(!canPty)('in a pseudo-terminal', () => {
  test.each(CASES.filter(([name]) => IN_TERMINAL.has(name)))('%s', async (name, ...args) => {
    const text = masked(place, await sluice(place, args, { pty: true }))
    expect(text).not.toMatch(/never-to-be-shown|literal-in-the-file/)
    expectGolden(`${name}.pty`, text)
  })

  test.each([
    ['schema', []],
    ['completion', ['bash']],
  ])('%s prints for a program to read, on a terminal too', async (name, args) => {
    const piped = await sluice(place, [name, ...args])
    const shown = await sluice(place, [name, ...args], { pty: true })
    expect(shown.out.replaceAll('\r\n', '\n')).toBe(piped.out)
    expect(shown.code).toBe(0)
  })

  test('NO_COLOR takes the colour away', async () => {
    const ran = await sluice(place, ['check', 'good.yaml'], { pty: true, env: { NO_COLOR: '1' } })
    expect(ran.out).not.toContain('\x1b[')
    expect(ran.code).toBe(0)
  })

  test('init asks for what it was not told, and keeps a file when told no', async () => {
    const asked = await sluice(place, ['init'], { pty: true, answers: ['local', 'mine.yaml'] })
    expect(asked.out).toContain('mine.yaml is written (template local)')
    const kept = await sluice(place, ['init'], { pty: true, answers: ['1', 'mine.yaml', 'n'] })
    expect(kept.out).toContain('nothing is written')
    expect(kept.code).toBe(0)
    const replaced = await sluice(place, ['init'], { pty: true, answers: ['1', 'mine.yaml', 'y'] })
    expect(replaced.out).toContain('mine.yaml is written (template minimal)')
  })
})
