// Keys in files: a rotated one is used without a reload, and nothing is lost while it is being replaced.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Authorizer } from '../../../src/providers/index.ts'
import { planOf } from '../hosts.ts'
import { TokenEndpoint, TurnedClock } from './tools.ts'

const CALL = { origin: 'https://h', method: 'POST', path: '/', headers: [], body: null }

let folder: string
let file: string
let clock: TurnedClock
let authorizer: Authorizer

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
  file = join(folder, 'key')
  clock = new TurnedClock()
  authorizer = new Authorizer({ clock, fetch: new TokenEndpoint().fetch, env: {} })
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a key that was rotated is used at most a second later', async () => {
  writeFileSync(file, 'key-1\n')
  const plan = planOf({ model: 'openai/gpt-4o', access_key: `file:${file}` })
  expect(plan.accessKeys[0]!.secret).toBe('key-1')
  const shown = async () => authorizer.authorize(plan, 'openai-chat', CALL, 'key-1')
  expect(await shown()).toEqual(['authorization', 'Bearer key-1'])
  writeFileSync(`${file}.new`, 'key-22\n')
  renameSync(`${file}.new`, file)
  // Not looked at again within the same second: no promise, no file system.
  expect(authorizer.authorize(plan, 'openai-chat', CALL, 'key-1')).toBeNull()
  clock.nowMs += 1_001
  expect(await shown()).toEqual(['authorization', 'Bearer key-22'])
  expect(authorizer.authorize(plan, 'openai-chat', CALL, 'key-1')).toEqual(['authorization', 'Bearer key-22'])
})

test('a file that is away, empty or garbage leaves the last key', async () => {
  writeFileSync(file, 'key-1')
  const plan = planOf({ model: 'anthropic/claude-sonnet-4-5', access_key: `file:${file}` })
  const shown = async () => {
    clock.nowMs += 1_001
    return authorizer.authorize(plan, 'anthropic-messages', CALL, 'key-1')
  }
  for (const break_ of [
    () => rmSync(file),
    () => writeFileSync(file, ''),
    () => writeFileSync(file, 'two\nlines'),
    () => writeFileSync(file, 'x'.repeat(65 * 1024)),
  ]) {
    break_()
    expect(await shown()).toEqual(['x-api-key', 'key-1'])
  }
  writeFileSync(file, 'key-2')
  expect(await shown()).toEqual(['x-api-key', 'key-2'])
})

test('only keys that come from files are looked at', () => {
  writeFileSync(file, 'key-1')
  const plan = planOf({ model: 'openai/gpt-4o', access_keys: ['key-0', { key: `file:${file}`, weight: 2 }] })
  expect(plan.keyFiles).toEqual([null, file])
  expect(authorizer.authorize(plan, 'openai-chat', CALL, 'key-0')).toBeNull()
  expect(authorizer.authorize(plan, 'openai-chat', CALL, 'key-1')).toBeInstanceOf(Promise)
})
