// Each code of the catalogue with a file that has the mistake, and the whole message a person sees.
// `UPDATE_GOLDENS=1` rewrites the messages; the commit explains why.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { CODES, ConfigErrors, loadPlan } from '../../src/common/config/index.ts'
import { ENV } from './env.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/config/errors')
const NAMES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.yaml'))
  .map(name => basename(name, '.yaml'))

function messageOf(name: string): string {
  try {
    loadPlan({ file: `${name}.yaml`, cwd: FOLDER, env: ENV })
  } catch (error) {
    if (error instanceof ConfigErrors) return `${error.message}\n`
    throw error
  }
  throw new Error(`${name}.yaml was accepted`)
}

test.each(NAMES)('%s', name => {
  const message = messageOf(name)
  const golden = resolve(FOLDER, `${name}.txt`)
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(golden, message)
  expect(existsSync(golden), `${golden} is missing`).toBe(true)
  expect(message).toBe(readFileSync(golden, 'utf8'))
})

test.each(NAMES.filter(name => /^[ES]\d\d/.test(name)))('%s has the code in its name', name => {
  expect(messageOf(name)).toContain(`: ${name.slice(0, 3)} `)
})

test('no message shows a secret', () => {
  for (const name of NAMES) expect(messageOf(name), name).not.toMatch(/visible|zqx/)
})

/** Codes of the reference's catalogue that cannot occur, and why. */
const CANNOT_OCCUR: Readonly<Record<string, string>> = {
  E18: 'two entries may have one bare id; the warning W07 says that it means neither (same-id-two-vendors)',
  E62: 'a file without any model is served: the demo answers, or nobody is found',
}

test('every code of the catalogue has a file', () => {
  const codes =
    'E01 E02 E10 E11 E12 E13 E14 E15 E16 E17 E18 E19 E20 E21 E22 E23 E24 E25 E30 E31 E40 E41 E50 E51 E52 E60 E61 E62 E63 E64 E65 E66 E67 E68 E69 E70 E71 E72 E80'
  const missing = codes
    .split(' ')
    .filter(code => !(code in CANNOT_OCCUR) && !NAMES.some(name => name.startsWith(code)))
  expect(missing).toEqual([])
  const known = new Set(Object.keys(CODES))
  expect(Object.keys(CANNOT_OCCUR).filter(code => known.has(code))).toEqual([])
})
