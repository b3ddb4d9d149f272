// Repairs of finished bodies, byte by byte.

import { describe, expect, test } from 'vitest'
import { type BodyFixups, fixBody, NO_FIXUPS } from '../../src/translate/index.ts'

function fixed(
  text: string,
  fixups: Partial<BodyFixups>,
  strict = false,
): { body: string; losses: string[] } {
  const { body, losses } = fixBody(Buffer.from(text), { ...NO_FIXUPS, quiet: {}, ...fixups }, strict)
  return {
    body: Buffer.from(body).toString(),
    losses: losses.map(({ action, field, reason }) => `${action} ${field} ${reason}`),
  }
}

const DROP_B: Partial<BodyFixups> = { drop: new Set(['b']) }

describe('a member that is left out takes its comma along', () => {
  test.each([
    ['in the middle', '{"a": 1, "b": 2, "c": 3}', '{"a": 1, "c": 3}'],
    ['at the start', '{ "b":2,\n "a":1 }', '{ "a":1 }'],
    ['at the end', '{"a":1 , "b":[1,2,{"b":3}]  }', '{"a":1  }'],
    ['alone', '{ "b" : {"a":1} }', '{  }'],
    ['twice in a row', '{"a":1,"b":2,"b":3,"c":4}', '{"a":1,"c":4}'],
    ['twice at the start', '{"b":1,"b":2,"a":3}', '{"a":3}'],
    ['twice apart', '{"b":1,"a":3,"b":2}', '{"a":3}'],
    ['spelled with escapes', '{"a":1,"\\u0062":2}', '{"a":1}'],
    ['with quotes and backslashes in its text', '{"b":"\\"}\\\\","a":1}', '{"a":1}'],
    ['only at the top', '{"a":{"b":1}}', '{"a":{"b":1}}'],
  ])('%s', (_what, before, after) => {
    expect(fixed(before, DROP_B).body).toBe(after)
  })

  test('and is reported, unless it said nothing', () => {
    expect(fixed('{"a":1,"b":2}', DROP_B).losses).toEqual(['drop /b unsupported_by_provider'])
    expect(fixed('{"a":1,"b":null}', DROP_B).losses).toEqual([])
    expect(fixed('{"a":1,"b":1.0}', { ...DROP_B, quiet: { b: ['1', '1.0'] } }).losses).toEqual([])
    expect(fixed('{"a":1,"b":2}', { ...DROP_B, quiet: { b: ['1'] } }).losses).toHaveLength(1)
    expect(fixed('{"a":1,"b":2}', { ...DROP_B, quiet: { b: null } }).losses).toEqual([])
  })

  test('and refused to a strict caller, unless it said nothing', () => {
    expect(() => fixed('{"a":1,"b":2}', DROP_B, true)).toThrow(/cannot carry: \/b/)
    expect(fixed('{"a":1,"b":null}', DROP_B, true).body).toBe('{"a":1}')
  })
})

test('a body that needs no repair is the same bytes, not a copy', () => {
  const bytes = Buffer.from('{"a":1}')
  expect(fixBody(bytes, { ...NO_FIXUPS, ...DROP_B }, false).body).toBe(bytes)
})

test('members that a host does not know are left out by name', () => {
  const only = new Set(['a', 'toString'])
  expect(fixed('{"x/y":1,"a":2,"constructor":3}', { only })).toEqual({
    body: '{"a":2}',
    losses: ['drop /x~1y unknown_member', 'drop /constructor unknown_member'],
  })
})

describe('a member with another name', () => {
  const rename = { max_completion_tokens: 'max_tokens' }

  test('is renamed, its value untouched', () => {
    expect(fixed('{"max_completion_tokens" : 1e2}', { rename })).toEqual({
      body: '{"max_tokens" : 1e2}',
      losses: [],
    })
  })

  test('gives way to one that is there under the new name, and that is told', () => {
    expect(fixed('{"max_completion_tokens":1,"max_tokens":2}', { rename })).toEqual({
      body: '{"max_tokens":2}',
      losses: ['drop /max_completion_tokens unsupported_by_provider'],
    })
  })

  test('is known to a host by its new name only', () => {
    expect(
      fixed('{"seed":1}', { rename: { seed: 'random_seed' }, only: new Set(['random_seed']) }).body,
    ).toBe('{"random_seed":1}')
  })
})

describe('a member with a fixed form', () => {
  const change = { store: () => 'false' }

  test('is added behind the last one', () => {
    expect(fixed('{"a":1 }', { change }).body).toBe('{"a":1,"store":false }')
    expect(fixed('{ }', { change }).body).toBe('{"store":false }')
    expect(fixed('{"b":1}', { ...DROP_B, change }).body).toBe('{"store":false}')
    expect(fixed('{"a":1,"b":2}', { ...DROP_B, change }).body).toBe('{"a":1,"store":false}')
  })

  test('is changed in its place, and that is told', () => {
    expect(fixed('{"store": true,"a":1}', { change })).toEqual({
      body: '{"store": false,"a":1}',
      losses: ['map /store unsupported_by_provider'],
    })
    expect(fixed('{"store":false}', { change }).losses).toEqual([])
  })

  test('may turn out to have none', () => {
    expect(fixed('{"a":1,"store":7}', { change: { store: () => null } })).toEqual({
      body: '{"a":1}',
      losses: ['drop /store unsupported_by_provider'],
    })
  })
})

test('members and roles of messages are changed one by one', () => {
  const before =
    '{"messages":[{"role":"developer","content":"x"},{"name":"ada","role":"user","content":"developer"}]}'
  expect(fixed(before, { messageDrop: new Set(['name']), messageRoles: { developer: 'system' } })).toEqual({
    body: '{"messages":[{"role":"system","content":"x"},{"role":"user","content":"developer"}]}',
    losses: ['drop /messages/1/name unsupported_by_provider'],
  })
})
