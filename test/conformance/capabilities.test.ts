// What every pair of dialects makes of every feature, measured. The files that tell it are written by this test
// (UPDATE_CAPABILITIES=1) and fail it when they are stale.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DIALECTS } from '../../src/translate/dialect.ts'
import { bytesOf, wishing } from './features/bodies.ts'
import type { Feature } from './features/feature.ts'
import { MEDIA_FEATURES } from './features/media.ts'
import { REPLY_FEATURES, type ReplyFeature } from './features/replies.ts'
import { TOOL_FEATURES } from './features/tools.ts'
import { TURN_FEATURES } from './features/turns.ts'
import { WISH_FEATURES } from './features/wishes.ts'
import {
  type Capabilities,
  cellOf,
  journey,
  markdownOf,
  read,
  rowOf,
  sampleOf,
  strictlyRefused,
} from './matrix.ts'
import { showing } from './reply-matrix.ts'

const FEATURES: readonly Feature[] = [...TURN_FEATURES, ...MEDIA_FEATURES, ...TOOL_FEATURES, ...WISH_FEATURES]

const ROOT = resolve(import.meta.dirname, '../..')
const JSON_FILE = resolve(ROOT, 'config/capabilities.json')
const MARKDOWN_FILE = resolve(ROOT, 'docs/capabilities.md')

/** A test of many features fails with all that is wrong, not with the first. */
function wrong(check: (feature: Feature) => string | null): string[] {
  return FEATURES.flatMap(feature => check(feature) ?? [])
}

describe('samples', () => {
  test('have names of their own', () => {
    const ids = [...FEATURES, ...REPLY_FEATURES].map(feature => feature.id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  for (const client of DIALECTS) {
    test(`of ${client} say their feature, to its own reader`, () => {
      const unsaid = wrong(feature => {
        const sample = sampleOf(feature, client, client)
        return sample === null || feature.arrived(read(client, bytesOf(sample), true)) ? null : feature.id
      })
      expect(unsaid).toEqual([])
    })

    test(`of ${client} are not heard where nothing was said`, () => {
      const plain = read(client, bytesOf(wishing(client, {})), true)
      const heard = wrong(feature =>
        feature.arrived(plain) && feature.impliedIn?.includes(client) !== true ? feature.id : null,
      )
      expect(heard).toEqual([])
    })
  }

  test('that say nothing lose nothing', () => {
    const plain = { id: 'plain', about: '', samples: {} as Feature['samples'], arrived: () => true }
    for (const client of DIALECTS) {
      for (const upstream of DIALECTS) {
        const cell = journey(plain, client, upstream, wishing(client, {}))
        expect(cell).toBe(client === upstream ? 'native' : 'translated')
      }
    }
  })
})

describe('no loss is silent', () => {
  for (const client of DIALECTS) {
    for (const upstream of DIALECTS) {
      test(`in prompts of ${client} for ${upstream}`, () => {
        const silent = wrong(feature => (cellOf(feature, client, upstream) === 'silent' ? feature.id : null))
        expect(silent).toEqual([])
      })

      test(`in replies of ${upstream} to ${client}`, () => {
        const silent = REPLY_FEATURES.flatMap(feature => {
          const { cell, lost } = showing(feature, client, upstream)
          return cell === 'silent' ? [`${feature.id}: ${lost.join('; ')}`] : []
        })
        expect(silent).toEqual([])
      })
    }
  }

  test('and no reason is given for what is shown', () => {
    const needless = REPLY_FEATURES.flatMap(feature =>
      (Object.keys(feature.unshown) as (keyof ReplyFeature['unshown'])[]).flatMap(client =>
        DIALECTS.every(upstream => showing(feature, client, upstream).cell !== 'not shown')
          ? [`${feature.id} ${client}`]
          : [],
      ),
    )
    expect(needless).toEqual([])
  })
})

test('a strict caller is refused what would be left out or mean less, and nothing else', () => {
  const odd: string[] = []
  for (const client of DIALECTS) {
    for (const upstream of DIALECTS) {
      for (const feature of FEATURES) {
        const cell = cellOf(feature, client, upstream)
        if (cell === 'unsayable') continue
        const codes = /^lossy\((.*)\)$/.exec(cell)?.[1]?.split(', ') ?? []
        const grave = codes.some(code => /^(?:drop|map):/.test(code) && !/cache/.test(code))
        if (strictlyRefused(feature, client, upstream) !== (cell === 'refused' || grave))
          odd.push(`${feature.id}: ${client} to ${upstream}: ${cell}`)
      }
    }
  }
  expect(odd).toEqual([])
})

describe('the files that tell it', () => {
  const matrix: Capabilities = {
    about: 'Written by test/conformance/capabilities.test.ts; docs/capabilities.md says what the words mean.',
    dialects: DIALECTS,
    prompts: FEATURES.map(feature =>
      rowOf(feature, (client, upstream) => relayed(feature, client, upstream)),
    ),
    replies: REPLY_FEATURES.map(feature =>
      rowOf(feature, (client, upstream) => showing(feature, client, upstream).cell),
    ),
  }
  const json = `${JSON.stringify(matrix, null, 2)}\n`
  const markdown = markdownOf(matrix)
  if (process.env['UPDATE_CAPABILITIES'] === '1') {
    writeFileSync(JSON_FILE, json)
    writeFileSync(MARKDOWN_FILE, markdown)
  }

  test('are what the translators do; UPDATE_CAPABILITIES=1 writes them', () => {
    expect(JSON.parse(readFileSync(JSON_FILE, 'utf8'))).toEqual(JSON.parse(json))
    expect(readFileSync(MARKDOWN_FILE, 'utf8')).toBe(markdown)
  })

  test('hold every pair, and more than one word', () => {
    const cells = matrix.prompts.flatMap(row => DIALECTS.flatMap(client => Object.values(row.cells[client])))
    expect(cells).toHaveLength(FEATURES.length * DIALECTS.length ** 2)
    for (const word of ['native', 'translated', 'refused', 'unsayable']) expect(cells).toContain(word)
    expect(cells.filter(cell => cell.startsWith('lossy')).length).toBeGreaterThan(100)
    expect(cells).not.toContain('silent')
  })
})

/** The same dialect on both sides is relayed: nothing is written anew and nothing can be lost. */
function relayed(feature: Feature, client: (typeof DIALECTS)[number], upstream: (typeof DIALECTS)[number]) {
  const cell = cellOf(feature, client, upstream)
  return client === upstream && cell !== 'unsayable' ? 'native' : cell
}
