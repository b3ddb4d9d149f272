// Schemas of Gemini's OpenAPI subset, both ways.

import { describe, expect, test } from 'vitest'
import { jsonSchemaOf, openapiOf, withoutConst } from '../../src/translate/openapi.ts'

describe('schemas', () => {
  test('of the OpenAPI subset become JSON Schemas', () => {
    const openapi = {
      type: 'OBJECT',
      property_ordering: ['b'],
      properties: {
        a: { type: 'STRING', nullable: true, enum: ['x', 'y'] },
        b: { type: 'ARRAY', items: { any_of: [{ type: 'NUMBER', format: 'double' }] }, min_items: '2' },
      },
    }
    expect(jsonSchemaOf(JSON.stringify(openapi))).toBe(
      '{"type":"object","properties":{"b":{"type":"array","items":{"anyOf":[{"type":"number"}]},"minItems":2},' +
        '"a":{"type":["string","null"],"enum":["x","y",null]}}}',
    )
  })

  const refuse = (message: string): never => {
    throw new Error(message)
  }
  const subset = (schema: unknown): unknown => JSON.parse(openapiOf(JSON.stringify(schema), refuse).json)

  test('become the subset where a target takes nothing else', () => {
    expect(
      subset({
        $defs: { size: { type: 'string', enum: ['s', 'm'] } },
        type: 'object',
        properties: {
          size: { $ref: '#/$defs/size' },
          count: { type: ['integer', 'null'], exclusiveMinimum: 0 },
          kind: { const: 7 },
          either: { oneOf: [{ type: 'string', format: 'uri' }, { type: 'null' }] },
          both: { allOf: [{ properties: { x: { type: 'number' } } }, { required: ['x'] }] },
        },
        additionalProperties: false,
        required: ['size'],
      }),
    ).toEqual({
      type: 'OBJECT',
      properties: {
        size: { type: 'STRING', format: 'enum', enum: ['s', 'm'] },
        count: { type: 'INTEGER', nullable: true, description: 'exclusiveMinimum: 0' },
        kind: { type: 'STRING', format: 'enum', enum: ['7'] },
        either: { type: 'STRING', nullable: true, description: 'format: uri' },
        both: { type: 'OBJECT', properties: { x: { type: 'NUMBER' } }, required: ['x'] },
      },
      required: ['size'],
      propertyOrdering: ['size', 'count', 'kind', 'either', 'both'],
    })
  })

  test('that refer to themselves are refused, however long the way round', () => {
    const schema = {
      $defs: {
        node: { properties: { next: { $ref: '#/$defs/list' } } },
        list: { items: { $ref: '#/$defs/node' } },
      },
      $ref: '#/$defs/node',
    }
    expect(() => subset(schema)).toThrow('refers to itself')
  })

  test('that double at every step are refused before they fill the memory', () => {
    const $defs: Record<string, unknown> = { d0: { type: 'string', description: 'x'.repeat(200) } }
    for (let depth = 1; depth < 30; depth++) {
      const $ref = `#/$defs/d${depth - 1}`
      $defs[`d${depth}`] = { properties: { a: { $ref }, b: { $ref } } }
    }
    expect(() => subset({ $defs, $ref: '#/$defs/d29' })).toThrow('too large')
  })

  test('of one allowed value are told as a list of one, names of members aside', () => {
    expect(withoutConst('{"properties":{"const":{"const":1.0}},"default":{"const":2}}')).toBe(
      '{"properties":{"const":{"enum":[1.0]}},"default":{"const":2}}',
    )
  })
})
