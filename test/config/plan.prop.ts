// Laws of plans: the hash sees meaning and not form, and keys of our own change nothing of a reference file.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { loadPlan, type Plan } from '../../src/common/config/index.ts'
import { ENV } from './env.ts'

const FIXTURES = resolve(import.meta.dirname, '../fixtures/config')
const TEXTS = readdirSync(FIXTURES)
  // Two files are about form or about files beside them.
  .filter(name => name.endsWith('.yaml') && !['tls.yaml', 'yaml-forms.yaml'].includes(name))
  .map(name => readFileSync(join(FIXTURES, name), 'utf8'))

const seed = process.env['FAST_CHECK_SEED']
const settings = { numRuns: 60, ...(seed === undefined ? {} : { seed: Number(seed) }) }

const folder = mkdtempSync(join(tmpdir(), 'sluice-plan-'))
afterAll(() => rmSync(folder, { recursive: true }))

function planOf(text: string): Plan {
  writeFileSync(join(folder, 'config.yaml'), text)
  return loadPlan({ file: null, cwd: folder, env: ENV }).plan
}

/** The value with the keys of every map in another order; lists keep theirs. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map(item => shuffled(item, random))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => ({ key, item, rank: random() }))
  entries.sort((a, b) => a.rank - b.rank)
  return Object.fromEntries(entries.map(({ key, item }) => [key, shuffled(item, random)]))
}

const read = (text: string) => parse(text, { version: '1.1', merge: true }) as Record<string, unknown>

test('the order of keys, blanks, comments and the style of YAML do not change the hash', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.constantFrom(1, 2, 7),
      fc.boolean(),
      (text, randoms, indent, flow) => {
        const random = () => randoms.next().value as number
        const other = stringify(shuffled(read(text), random), {
          indent,
          version: '1.1',
          collectionStyle: flow ? 'flow' : 'block',
        })
        expect(planOf(`# another comment\n\n${other}`).hash).toBe(planOf(text).hash)
      },
    ),
    settings,
  )
})

test('keys of our own change nothing but what they are about', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS),
      fc.record({ shards: fc.integer({ min: 1, max: 9 }), drain: fc.constantFrom('1s', '45s') }),
      fc.record({ headers: fc.constantFrom('9s', '1m') }),
      (text, server, upstream) => {
        const before = planOf(text)
        const tree = read(text)
        const grown = {
          ...tree,
          server: { ...(tree['server'] as object | undefined), ...server },
          upstream: { ...(tree['upstream'] as object | undefined), ...upstream },
        }
        const after = planOf(stringify(grown, { version: '1.1' }))
        const essence = ({ listeners, aliases, features, providers }: Plan) => ({
          listeners,
          aliases,
          features,
          providers: providers.map(provider => ({ ...provider, sourceNote: '' })),
        })
        expect(essence(after)).toEqual(essence(before))
        expect(after.server.shards).toBe(server.shards)
        expect(after.hash).not.toBe(before.hash)
      },
    ),
    settings,
  )
})
