// What is found in one run: errors and warnings side by side, as facts a script can read, each kind with its own bound.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigErrors, loadPlan } from '../../src/common/config/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-findings-'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(text: string) {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, `version: v0.4.0\nlisteners: []\n${text}`)
  return loadPlan({ file: 'config.yaml', cwd: folder, env: {} })
}

function refusalOf(text: string): ConfigErrors {
  try {
    load(text)
  } catch (error) {
    if (error instanceof ConfigErrors) return error
    throw error
  }
  throw new Error('the file was accepted')
}

const slips = (count: number) =>
  `overrides: {${Array.from({ length: count }, (_, at) => `slip_number_${at}: 1`).join(', ')}}\n`

test('a warning is facts, not a line', () => {
  expect(load(slips(1)).notes.warnings).toEqual([
    {
      code: 'W19',
      severity: 'warning',
      file: 'config.yaml',
      line: 3,
      column: 13,
      path: 'overrides.slip_number_0',
      message: 'this override does not exist and is ignored',
    },
  ])
})

test.each([
  ['the rules between keys', 'model_aliases: {a: {target: nobody/b}}\n', 'E30'],
  ['the schema', 'admin: {prot: 1}\n', 'E01'],
])('warnings stand beside the errors of %s', (_, wrong, code) => {
  const error = refusalOf(slips(1) + wrong)
  expect(error.issues.map(one => one.code)).toEqual([code])
  expect(error.warnings.map(one => one.code)).toEqual(['W19'])
})

test('warnings of the rules between keys are told although the schema refuses a part', () => {
  const twice = 'model_providers: [{model: openai/a, access_key: k}, {model: groq/a, access_key: k}]\n'
  const error = refusalOf(`${twice}admin: {prot: 1}\n`)
  expect(error.issues.map(one => one.code)).toEqual(['E01'])
  expect(error.warnings.map(one => one.code)).toEqual(['W07'])
})

test('any number of warnings leaves the error that makes the file unusable', () => {
  const error = refusalOf(`${slips(150)}model_aliases: {a: {target: nobody/b}}\n`)
  expect(error.issues.map(one => one.code)).toEqual(['E30'])
  expect(error.warnings).toHaveLength(101)
  expect(error.warnings.at(-1)).toMatchObject({ code: 'S00', message: '50 more warnings are not shown' })
})

test('the hundred and first error is counted', () => {
  const error = refusalOf(`admin: {${Array.from({ length: 103 }, (_, at) => `slip_${at}: 1`).join(', ')}}\n`)
  expect(error.issues).toHaveLength(101)
  expect(error.issues.at(-1)).toMatchObject({ code: 'S00', message: '3 more errors are not shown' })
})
