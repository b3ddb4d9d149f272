// A file that takes the token of a ChatGPT login from the variable which the reference's command line sets.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of files, as they are written

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LoadedPlan, loadPlan } from '../../src/common/config/index.ts'

const HOME = process.env['HOME']
let home = ''
let read: string[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-home-'))
  process.env['HOME'] = home
  read = []
})
afterEach(() => {
  process.env['HOME'] = HOME
  rmSync(home, { recursive: true })
})

const loginFile = () => join(home, '.plano/chatgpt/auth.json')

function logIn(): void {
  mkdirSync(join(home, '.plano/chatgpt'), { recursive: true })
  writeFileSync(loginFile(), '{}')
}

function load(key: string, env: Record<string, string> = {}): LoadedPlan {
  const file = join(home, 'config.yaml')
  writeFileSync(
    file,
    `version: v0.4.0\nlisteners: []\nmodel_providers: [{model: chatgpt/gpt-5, access_key: ${key}}]\n`,
  )
  return loadPlan({ file, cwd: home, env, onFile: path => read.push(path) })
}

test.each(['$CHATGPT_ACCESS_TOKEN', '"${CHATGPT_ACCESS_TOKEN}"'])(
  '%s is the login, which is renewed',
  key => {
    logIn()
    const { plan, notes } = load(key)
    expect(plan.providers[0]).toMatchObject({
      auth: { type: 'chatgpt', file: loginFile() },
      accessKeys: [],
      passthroughAuth: false,
    })
    expect(notes.migrations.join()).toContain('M8 chatgpt/gpt-5 uses the login in')
    expect(read).toContain(loginFile())
  },
)

test('a variable that is set wins', () => {
  logIn()
  const [provider] = load('$CHATGPT_ACCESS_TOKEN', { CHATGPT_ACCESS_TOKEN: 'token' }).plan.providers
  expect(provider!.auth).toBeUndefined()
  expect(provider!.accessKeys).toMatchObject([{ secret: 'token' }])
})

test('without a login the error says how to get one, and one that comes later is noticed', () => {
  expect(() => load('$CHATGPT_ACCESS_TOKEN')).toThrow(/E80 .*CHATGPT_ACCESS_TOKEN.*`sluice chatgpt login`/)
  expect(read).toContain(loginFile())
})

test('other keys are what they say', () => {
  logIn()
  expect(() => load('$OTHER_TOKEN')).toThrow(/E80 .*OTHER_TOKEN/)
  expect(load('"${CHATGPT_ACCESS_TOKEN:-literal}"').plan.providers[0]!.accessKeys).toMatchObject([
    { secret: 'literal' },
  ])
})
