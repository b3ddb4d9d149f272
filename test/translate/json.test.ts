// JSON that keeps its source: trees, compact text, arguments.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { argumentsObject, argumentsText, compactJson } from '../../src/translate/bytes/json-text.ts'
import {
  JsonArray,
  JsonObject,
  type JsonValue,
  readBody,
  readJson,
  readJsonObject,
} from '../../src/translate/bytes/json-tree.ts'
import { JsonOut } from '../../src/translate/bytes/json-out.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { bytes } from './harness.ts'

function plain(value: JsonValue): unknown {
  if (value instanceof JsonArray) return value.values.map(plain)
  if (!(value instanceof JsonObject)) return value
  return Object.fromEntries(value.keys.map((key, index) => [key, plain(value.values[index]!)]))
}

describe('a tree', () => {
  test('holds what the host parser holds, for any document', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, 3), (json, indent) => {
        const spaced = JSON.stringify(JSON.parse(json), null, indent)
        expect(plain(readJson(spaced))).toEqual(JSON.parse(json))
        expect(compactJson(spaced)).toBe(JSON.stringify(JSON.parse(json)))
      }),
    )
  })

  test('refuses whatever the host parser refuses', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '}', '"', ',', '\\', '[', 'e', ' ', '\n'),
        (json, at, noise) => {
          const cut = at % (json.length + 1)
          const bent = json.slice(0, cut) + noise + json.slice(cut + (at % 2))
          let theirs: unknown
          try {
            theirs = JSON.parse(bent)
          } catch {
            expect(() => readJson(bent)).toThrow(TranslateError)
            return
          }
          expect(plain(readJson(bent))).toEqual(theirs)
        },
      ),
    )
  })

  test('gives the source text of a member with its spelling', () => {
    const tree = readJsonObject('{"a": {"n": 1.0,  "big": 123456789012345678901}, "s": "x \\" y"}')
    expect(tree.jsonOf('a')).toBe('{"n":1.0,"big":123456789012345678901}')
    expect(tree.jsonOf('s')).toBe('"x \\" y"')
    expect(tree.jsonOf('absent')).toBeNull()
  })

  test('the last of two members with one name counts, as for the host parser', () => {
    const tree = readJsonObject('{"a":1,"a":2}')
    expect(tree.get('a')).toBe(2)
    expect(tree.extras(new Set())).toEqual([{ name: 'a', json: '2' }])
  })

  test('complaints name the path, what was found and what is allowed', () => {
    const body = readBody(bytes('{"messages":[{"content":[{"image_url":7}]}]}'))
    const part = body.requiredArray('messages').objects()[0]!.requiredArray('content').objects()[0]!
    expect(() => part.requiredObject('image_url')).toThrow(
      'messages[0].content[0].image_url: found 7, allowed is an object',
    )
    expect(part.pointerOf('image_url')).toBe('/messages/0/content/0/image_url')
  })

  test('absurd nesting is refused instead of overflowing the stack', () => {
    expect(() => readJson('['.repeat(100_000))).toThrow('nests deeper')
  })
})

describe('arguments', () => {
  test('nothing becomes an empty object and broken text survives in a wrapper', () => {
    expect(argumentsObject('')).toBe('{}')
    expect(argumentsObject(' null ')).toBe('{}')
    expect(argumentsObject('{"a": 1.0}')).toBe('{"a":1.0}')
    expect(argumentsText(argumentsObject('{"a":'))).toBe('{"a":')
    expect(argumentsText(argumentsObject('[1,2]'))).toBe('[1,2]')
    expect(argumentsText('{"__raw":"{}"}')).toBe('{"__raw":"{}"}')
  })
})

test('a writer places commas by itself', () => {
  const out = new JsonOut()
    .object()
    .member('a', 1)
    .key('b')
    .array()
    .value('x')
    .raw('{}')
    .object()
    .endObject()
    .endArray()
  expect(out.memberIf('c', null).member('d', null).endObject().text).toBe('{"a":1,"b":["x",{},{}],"d":null}')
})
