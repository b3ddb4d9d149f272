// Counts what is covered: every known fault has a place, and every test that is named exists under that name.

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKS, type Gap, GAP_PARTS, GAPS_TOTAL } from './gaps.ts'

const TESTS = resolve(import.meta.dirname, '..')
const all: readonly (readonly [string, Gap])[] = GAP_PARTS.flatMap(part => Object.entries(part))

const sources = new Map<string, string>()

function sourceOf(file: string): string {
  const path = resolve(TESTS, file)
  const source = sources.get(file) ?? (existsSync(path) ? readFileSync(path, 'utf8') : '')
  sources.set(file, source)
  return source
}

/** A test of this name is in the file: its quoted name opens a test, or ends a list of cases. */
function exists({ file, name }: Gap): boolean {
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(
    `(?:\\btest(?:\\.each(?:<[^(]*>)?\\([^\\n]*\\))?|\\])\\)?\\(\\s*['"\`]${quoted}['"\`],`,
  ).test(sourceOf(file))
}

test('every known fault has one place', () => {
  const ids = all.map(([id]) => id)
  const wanted = Array.from({ length: GAPS_TOTAL }, (_, index) => `G-${String(index + 1).padStart(2, '0')}`)
  expect([...ids].sort()).toEqual([...wanted].sort())
})

test('every test that is named exists', () => {
  const missing = all.filter(([, gap]) => gap.place !== 'not built' && !exists(gap))
  expect(missing.map(([id, gap]) => `${id}: ${gap.file}: ${gap.name}`)).toEqual([])
  expect(exists({ place: 'here', file: 'conformance/prompts.test.ts', name: 'no such test' })).toBe(false)
})

test('what has no test says why, and nothing that is about translation is among it', () => {
  const without = all.filter(([, gap]) => gap.place === 'not built')
  expect(without.map(([id]) => id)).toEqual(['G-34', 'G-69', 'G-70', 'G-118'])
  for (const [, gap] of without) expect(gap.file.length).toBeGreaterThan(20)
})

test('every point of the checklist has tests that exist', () => {
  expect(Object.keys(CHECKS)).toEqual(Array.from({ length: 15 }, (_, index) => `K${index + 1}`))
  const missing = Object.entries(CHECKS).flatMap(([id, list]) =>
    list.filter(check => !exists(check)).map(({ file, name }) => `${id}: ${file}: ${name}`),
  )
  expect(missing).toEqual([])
})
