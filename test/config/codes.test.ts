// The table of codes says no more and no less than the loader does.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { CODES, issueText, loadPlan } from '../../src/common/config/index.ts'

const SOURCES = resolve(import.meta.dirname, '../../src/common/config')
const FIXTURES = resolve(import.meta.dirname, '../fixtures/config')

function textsBelow(folder: string, suffix: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return textsBelow(path, suffix)
    return entry.name.endsWith(suffix) ? [readFileSync(path, 'utf8')] : []
  })
}

const used = new Set(
  textsBelow(SOURCES, '.ts').flatMap(text => [...text.matchAll(/'([ESW]\d\d)'/g)].map(match => match[1]!)),
)

test('every code that is used has a sentence, and every sentence a use', () => {
  expect([...used].sort()).toEqual(Object.keys(CODES).sort())
})

/** Errors that no file alone can show, each with the test that does. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  S00: 'config/findings.test.ts',
  S04: 'common/config-load.test.ts',
  S06: 'common/config-load.test.ts',
  S19: 'config/tests-block.test.ts',
}

test('every error of ours is shown by a file, or by a test that is named', () => {
  const shown = textsBelow(FIXTURES, '.txt').join('\n')
  const missing = Object.keys(CODES).filter(
    code => code.startsWith('S') && !(code in ELSEWHERE) && !shown.includes(`: ${code} `),
  )
  expect(missing).toEqual([])
  for (const [code, file] of Object.entries(ELSEWHERE)) {
    expect(readFileSync(resolve(import.meta.dirname, '..', file), 'utf8'), code).toContain(code)
  }
})

test('every warning is shown by a file', () => {
  const shown = textsBelow(FIXTURES, '.json').join('\n')
  // A variable of the process has no file; the next test has it.
  const missing = Object.keys(CODES).filter(
    code => code.startsWith('W') && code !== 'W20' && !shown.includes(`: ${code} `),
  )
  expect(missing).toEqual([])
})

test('an address that cannot be used is a warning, and the default stands', () => {
  const { plan, notes } = loadPlan({
    file: 'minimal.yaml',
    cwd: FIXTURES,
    env: { OPENAI_API_KEY: 'k', METRICS_BIND_ADDRESS: 'somewhere' },
  })
  expect(plan.admin).toMatchObject({ address: '127.0.0.1', port: 9_092 })
  expect(notes.warnings.map(issueText)).toEqual([
    expect.stringMatching(/^environment METRICS_BIND_ADDRESS: W20 /),
  ])
})
