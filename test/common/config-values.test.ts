// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text in the file is the subject
// Values from outside the file: references, defaults, escapes, secret files, `.env`; and that they never change what
// a file is.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEnvFile } from '../../src/common/config/env-file.ts'
import { type LoadedPlan, loadPlan } from '../../src/common/config/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-values-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function load(prompt: string, env: Record<string, string> = {}): LoadedPlan {
  writeFileSync(
    join(folder, 'config.yaml'),
    `version: v0.4.0\nlisteners: []\nmodel_providers: [{model: openai/a, access_key: k, http_host: ${prompt}}]`,
  )
  return loadPlan({ file: null, cwd: folder, env })
}

const host = (text: string, env: Record<string, string> = {}) => load(text, env).plan.providers[0]!.httpHost

describe('references', () => {
  test.each([
    ['$A', { A: 'x' }, 'x'],
    ['"${A}"', { A: 'x' }, 'x'],
    ['pre-$A-post', { A: 'x' }, 'pre-x-post'],
    ['"$A$B"', { A: 'x', B: 'y' }, 'xy'],
    ['"${A}b"', { A: 'x' }, 'xb'],
    ['"${A:-d}"', {}, 'd'],
    ['"${A:-d}"', { A: '' }, 'd'],
    ['"${A:-d}"', { A: 'x' }, 'x'],
    ['"x${A:-}"', {}, 'x'],
    ['"${A:-http://h:1/{p}}"', {}, 'http://h:1/{p}'],
    ['"$$A"', { A: 'x' }, '$A'],
    ['"$$$A"', { A: 'x' }, '$x'],
    ['"costs $5"', {}, 'costs $5'],
    ['"a$"', {}, 'a$'],
    ['"${}"', {}, '${}'],
    ['"${A b}"', { A: 'x' }, '${A b}'],
  ])('%s with %j is %j', (text, env, expected) => {
    expect(host(text, env as Record<string, string>)).toBe(expected)
  })

  test('are not looked for inside values of variables', () => {
    expect(host('$A', { A: '$B ${C} $$', B: 'no' })).toBe('$B ${C} $$')
  })

  test('cannot change the shape of the file', () => {
    const nasty = 'x, default: true}]\n"\': # [\nadmin: {address: 0.0.0.0}'
    const { plan } = load('$A', { A: nasty })
    expect(plan.providers[0]).toMatchObject({ httpHost: nasty, isDefault: false })
    expect(plan.admin.address).toBe('127.0.0.1')
  })

  test('are not replaced in keys', () => {
    writeFileSync(
      join(folder, 'config.yaml'),
      'version: v0.4.0\nlisteners: []\nmodel_providers: [{model: openai/a, access_key: k, headers: {x$A: b}}]',
    )
    const { plan } = loadPlan({ file: null, cwd: folder, env: { A: 'x' } })
    expect(plan.providers[0]!.headers).toEqual(['x$a', 'b'])
  })

  test('that are not set are all named with their paths, and nothing else is done', () => {
    expect(() => load('$NOT_SET_A-$NOT_SET_B', { NOT_SET_C: 'x' })).toThrow(
      /http_host: E80 .*NOT_SET_A.*http_host: E80 .*NOT_SET_B/s,
    )
  })

  test('found and missing names are noted', () => {
    expect(load('$A', { A: 'x', B: 'y' }).notes.found).toEqual(['A'])
  })
})

describe('secret files', () => {
  const file = (name: string) =>
    `version: v0.4.0\nlisteners: []\nmodel_providers: [{model: openai/a, access_key: "file:${name}"}]`

  test('are read beside the configuration, without the line end', () => {
    writeFileSync(join(folder, 'key.txt'), 'sk-from-file\n')
    writeFileSync(join(folder, 'config.yaml'), file('key.txt'))
    const { plan } = loadPlan({ file: null, cwd: folder, env: {} })
    expect(plan.providers[0]!.accessKeys[0]!.secret).toBe('sk-from-file')
  })

  test('keep dollars as they are', () => {
    writeFileSync(join(folder, 'key.txt'), 'sk-$A')
    writeFileSync(join(folder, 'config.yaml'), file('key.txt'))
    const { plan } = loadPlan({ file: null, cwd: folder, env: { A: 'x' } })
    expect(plan.providers[0]!.accessKeys[0]!.secret).toBe('sk-$A')
  })

  test('that are too large are refused', () => {
    writeFileSync(join(folder, 'key.txt'), 'x'.repeat(70_000))
    writeFileSync(join(folder, 'config.yaml'), file('key.txt'))
    expect(() => loadPlan({ file: null, cwd: folder, env: {} })).toThrow(/S02/)
  })

  test('are not looked for where no secret is expected', () => {
    expect(host('"file:key.txt"')).toBe('file:key.txt')
  })
})

describe('.env', () => {
  test.each([
    ['A=b', { A: 'b' }],
    ['export A=b', { A: 'b' }],
    [' A = b ', { A: 'b' }],
    ['A="b c"', { A: 'b c' }],
    ["A='b $c'", { A: 'b $c' }],
    ['A="b\\n\\"c\\""', { A: 'b\n"c"' }],
    ["A='b\\n'", { A: 'b\\n' }],
    ['A=b # comment', { A: 'b' }],
    ['A=b#c', { A: 'b#c' }],
    ['A="b # c" # d', { A: 'b # c' }],
    ['# A=b', {}],
    ['A=', { A: '' }],
    ['A=#', { A: '' }],
    ['A=b=c', { A: 'b=c' }],
    ['A="first\nsecond"\nB=c', { A: 'first\nsecond', B: 'c' }],
    ['A=b\r\nB=c\r\n', { A: 'b', B: 'c' }],
    ['\ufeffA=b', { A: 'b' }],
    ['A=b\nA=c', { A: 'c' }],
    ['nonsense', {}],
    ['A="never closed', { A: 'never closed' }],
  ])('%j gives %j', (text, expected) => {
    expect(parseEnvFile(text)).toEqual(expected)
  })

  test('fills holes; the process wins', () => {
    writeFileSync(join(folder, '.env'), 'A=file\nB=file\n')
    expect(host('$A-$B', { A: 'process' })).toBe('process-file')
    expect(load('$A', {}).notes.sources).toEqual(['config.yaml', '.env'])
    expect(load('$A', { A: 'x' }).notes.sources).toEqual(['config.yaml'])
  })

  test('does not hide the real environment', () => {
    writeFileSync(join(folder, '.env'), 'OTHER=1\n')
    expect(host('$A', { A: 'x' })).toBe('x')
  })
})
