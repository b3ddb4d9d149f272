// Counts what is covered: every gap and every point has a place, and everything that is named is there.

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKS, GAPS, type Shown, TABLES } from './gaps.ts'

const TESTS = resolve(import.meta.dirname, '..')
const GAPS_TOTAL = 47
const CHECKS_TOTAL = 110

const texts = new Map<string, string>()

function textOf(path: string): string {
  const text =
    texts.get(path) ?? (existsSync(resolve(TESTS, path)) ? readFileSync(resolve(TESTS, path), 'utf8') : '')
  texts.set(path, text)
  return text
}

/** Empty when it is shown; else what is missing. */
function missing(shown: Shown): string {
  switch (shown.kind) {
    case 'test': {
      const quoted = shown.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      const named = new RegExp(`['"\`]${quoted}['"\`],|describe\\(['"\`]${quoted}['"\`]`)
      return named.test(textOf(shown.file)) ? '' : `${shown.file}: ${shown.name}`
    }
    case 'fixture': {
      const base = `fixtures/config/${shown.name}`
      const expected = textOf(`${base}.json`) + textOf(`${base}.txt`)
      const there = existsSync(resolve(TESTS, `${base}.yaml`)) && expected !== ''
      return there && expected.includes(shown.says) ? '' : `${base}: ${shown.says}`
    }
    case 'golden': {
      const path = `cli/golden/${shown.name}.txt`
      return textOf(path).includes(shown.says) && textOf(path) !== '' ? '' : `${path}: ${shown.says}`
    }
    case 'not built':
      return shown.why.length > 40 ? '' : `no reason: ${shown.why}`
  }
}

test('every gap and every point of the checklist has one place', () => {
  const wanted = Array.from({ length: GAPS_TOTAL }, (_, at) => `G${String(at + 1).padStart(2, '0')}`)
  expect(Object.keys(GAPS)).toEqual(wanted)
  expect(Object.keys(CHECKS)).toEqual(Array.from({ length: CHECKS_TOTAL }, (_, at) => String(at + 1)))
})

test('everything that is named is there', () => {
  const all = [...Object.entries(GAPS), ...Object.entries(CHECKS), ...TABLES.entries()]
  expect(all.map(([id, shown]) => [String(id), missing(shown)]).filter(([, what]) => what !== '')).toEqual([])
  expect(missing({ kind: 'test', file: 'config/gaps.test.ts', name: 'no such test' })).not.toBe('')
  expect(missing({ kind: 'fixture', name: 'minimal', says: 'no such text' })).not.toBe('')
})

test('what nothing shows is counted, so that none is added in silence', () => {
  const without = (table: Readonly<Record<string, Shown>>) =>
    Object.entries(table)
      .filter(([, { kind }]) => kind === 'not built')
      .map(([id]) => id)
  expect(without(GAPS)).toEqual(['G12', 'G26', 'G27', 'G28', 'G30', 'G40', 'G44', 'G46'])
  expect(without(CHECKS)).toEqual(
    '63 64 65 66 67 69 70 72 73 75 76 88 89 90 91 92 93 96 97 99 100 101 102 110'.split(' '),
  )
})
