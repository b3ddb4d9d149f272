// Bends valid configurations and loads them: bytes flipped, cut and doubled, lines moved, values replaced by others of
// the wrong kind. The loader must answer with a plan or with ConfigErrors, soon, and never show a secret.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { isPair, parse, parseDocument, stringify, visit } from 'yaml'
import { checkFile } from '../../src/check-file.ts'
import { assert } from '../../src/common/assert.ts'
import { ConfigErrors, issueText, loadPlan, maskedPlan, migrateText } from '../../src/common/config/index.ts'
import { isSecretPath } from '../../src/common/config/values.ts'
import type { FuzzOptions, FuzzResult } from './main.ts'

/** Sources and build have different depths; the fixtures are in the sources. */
const FIXTURES = [
  resolve(import.meta.dirname, '../fixtures/config'),
  resolve(import.meta.dirname, '../../../test/fixtures/config'),
]
/** One load takes milliseconds; this is when somebody would call it a hang, on a machine that does other things. */
const LOAD_MS_MAX = 5_000

/** The literal keys of the files, and what the environment gives for names of secrets. */
const LITERAL = 'sk-fuzz0Secret9Mark'
const FROM_ENV = 'fuzz1Env7Secret'
const ENV: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'OPENAI_API_KEY',
      'ANTHROPIC_API_KEY',
      'MISTRAL_API_KEY',
      'GROQ_API_KEY',
      'DEEPSEEK_API_KEY',
      'HOUSE_KEY',
      'OTHER_KEY',
      'KEY_ONE',
      'KEY_TWO',
      'CHATGPT_ACCESS_TOKEN',
      'DB_PASSWORD',
      'POSTHOG_KEY',
      'QUOTES_KEY',
      'ADMIN_TOKEN',
    ].map(name => [name, `${FROM_ENV}-${name}`]),
  ),
  REDIS_URL: `rediss://:${FROM_ENV}@redis:6380`,
  OTEL_HOST: 'collector',
  MODEL: 'gpt-4o',
}
const SPICE = [
  'null',
  '[]',
  '{}',
  '1e999',
  '""',
  'true',
  '*a',
  '&a',
  '!!x',
  '$',
  '${',
  '${A:-',
  'file:',
  '- ',
  ': ',
  '#',
  '\t',
  '\0',
  '\u2028',
  '<<: *a',
  '---',
  '...',
  '|',
  '>',
  '"',
  "'",
  '__proto__',
  'constructor',
]
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e21,
  Number.NaN,
  '',
  'x',
  '*',
  '/',
  '$A',
  '${',
  'file:x',
  'http://',
  [],
  {},
  [[]],
  [null],
  { a: null },
  'y'.repeat(2_000),
]

/** Keys that hold secrets, or hold what does. */
const EXPLAINED = [
  'model_providers',
  'model_providers[0].access_key',
  'routing',
  'limits',
  'state_storage',
  'tracing',
  'admin',
  'prompt_targets',
]

/** Small random numbers from a seed (mulberry32): a failing run replays. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export async function run({ seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = generator(seed)
  const corpus = readCorpus()
  assert(corpus.length > 40, 'the fixtures were not found')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'))
  const until = performance.now() + seconds * 1_000
  let iterations = 0
  try {
    while (performance.now() < until) {
      const text = bend(corpus, random)
      writeFileSync(join(folder, 'config.yaml'), text)
      tryLoad(folder, text)
      iterations += 1
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { iterations }
}

/** The fixtures, with every literal key replaced by one that is easy to find. */
function readCorpus(): string[] {
  for (const folder of FIXTURES) {
    try {
      const shipped = join(folder, '../../../config')
      return [folder, join(folder, 'errors'), join(folder, 'migrations'), shipped]
        .flatMap(each => readdirSync(each).map(name => join(each, name)))
        .filter(file => file.endsWith('.yaml'))
        .map(file => readFileSync(file, 'utf8'))
        .map(text => text.replace(/access_key: k\d*/g, `access_key: ${LITERAL}`))
    } catch {
      // The other place has them.
    }
  }
  return []
}

function bend(corpus: readonly string[], random: (below: number) => number): string {
  let text = corpus[random(corpus.length)]!
  const times = 1 + random(4)
  for (let time = 0; time < times; time++) {
    text = random(2) === 0 ? bendText(text, corpus, random) : bendTree(text, random)
  }
  return text
}

function bendText(text: string, corpus: readonly string[], random: (below: number) => number): string {
  const at = random(text.length + 1)
  const lines = text.split('\n')
  switch (random(6)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1 + random(20))
    case 1:
      return text.slice(0, at) + SPICE[random(SPICE.length)]! + text.slice(at)
    case 2:
      return text.slice(0, at)
    case 3:
      lines.splice(random(lines.length), 0, lines[random(lines.length)]!)
      return lines.join('\n')
    case 4:
      lines.splice(random(lines.length), 1)
      return lines.join('\n')
    default: {
      const other = corpus[random(corpus.length)]!.split('\n')
      return [...lines.slice(0, random(lines.length)), ...other.slice(random(other.length))].join('\n')
    }
  }
}

/** Replaces, removes, renames or moves one pair of the parsed file, so that the result is still YAML. */
function bendTree(text: string, random: (below: number) => number): string {
  let tree: unknown
  try {
    tree = parse(text, { logLevel: 'silent', version: '1.1' })
  } catch {
    return text
  }
  const maps: Record<string, unknown>[] = []
  collectMaps(tree, maps)
  const map = maps[random(Math.max(1, maps.length))]
  const keys = Object.keys(map ?? {})
  const key = keys[random(Math.max(1, keys.length))]
  if (map === undefined || key === undefined) return text
  const value = map[key]
  switch (random(4)) {
    case 0:
      delete map[key]
      break
    case 1:
      delete map[key]
      map[`${key}${random(10)}`] = value
      break
    case 2:
      map[key] = VALUES[random(VALUES.length)]
      break
    default: {
      // Often a credential: those are what must not be shown where they do not belong.
      const other = maps[random(maps.length)]!
      if (random(2) === 0) other['access_key'] = LITERAL
      else other[key] = structuredClone(value)
    }
  }
  return stringify(tree, { version: '1.1' })
}

function collectMaps(value: unknown, into: Record<string, unknown>[]): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) into.push(value as Record<string, unknown>)
  for (const item of Object.values(value)) collectMaps(item, into)
}

function tryLoad(folder: string, text: string): void {
  const started = performance.now()
  const messages: string[] = []
  let shown = ''
  try {
    const loaded = loadPlan({ file: null, cwd: folder, env: ENV })
    const { plan, notes } = loaded
    messages.push(...notes.warnings.map(issueText), inspect(plan.providers.map(one => one.accessKeys)))
    const explained = EXPLAINED.map(key => loaded.explain(key)?.value)
    shown = JSON.stringify([maskedPlan(plan), plan.providers.map(one => one.accessKeys), explained])
    const again = loadPlan({ file: null, cwd: folder, env: ENV })
    assert(again.plan.hash === plan.hash, 'one file gives one plan')
    structuredClone(plan)
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw new Error(`the loader crashed on:\n${text}`, { cause: error })
    assert(error.issues.length > 0, 'an error without a finding')
    messages.push(error.message, ...error.warnings.map(issueText))
  }
  messages.push(...tryTests(folder, text))
  tryMigrate(text)
  const took = performance.now() - started
  assert(took < LOAD_MS_MAX, `loading took ${took.toFixed(0)} ms:\n${text}`)
  for (const message of messages) {
    if (message.includes(FROM_ENV)) throw new Error(`a secret is shown in:\n${message}\nof:\n${text}`)
  }
  const all = [...messages, shown].join('\n')
  if (all.includes(LITERAL) && !strays(text)) throw new Error(`a secret is shown in:\n${all}\nof:\n${text}`)
}

/** Whatever a file promises, its tests end with a verdict. */
function tryTests(folder: string, text: string): string[] {
  try {
    const { issues, warnings } = checkFile({ file: null, cwd: folder, env: ENV })
    return [...issues, ...warnings].map(issueText)
  } catch (error) {
    throw new Error(`the tests of a file crashed on:\n${text}`, { cause: error })
  }
}

function tryMigrate(text: string): void {
  try {
    const once = migrateText(text)
    if (once !== null)
      assert(migrateText(once.text)?.changes.length === 0, 'a migrated file is changed again')
  } catch (error) {
    throw new Error(`the migration crashed on:\n${text}`, { cause: error })
  }
}

/** Did bending move the literal key to where no secret is expected? Then it is a name or an address like others. */
function strays(text: string): boolean {
  const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: false })
  if (document.errors.length > 0) return false
  let stray = false
  visit(document, {
    Scalar: (at, node, path) => {
      if (!String(node.value).includes(LITERAL)) return
      const keys = path.filter(isPair).map(pair => String(pair.key))
      if (at === 'key' || !isSecretPath(keys) || node.value !== LITERAL) stray = true
    },
  })
  return stray
}
