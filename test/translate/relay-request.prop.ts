// Laws of the look at a body: it agrees with the host's own parser about what is JSON, and a splice means what the
// same change means to a parsed body while every other byte stays.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RequestScan, scanRequest, spliceRequest, TranslateError } from '../../src/translate/index.ts'
import { bytes as bytesOf, text } from './harness.ts'

const OPTIONS = { seed: Number(process.env['FAST_CHECK_SEED'] ?? 1), numRuns: 400 }

function scanOf(bytes: Uint8Array): RequestScan | null {
  try {
    return scanRequest('anthropic-messages', bytes)
  } catch (thrown) {
    if (thrown instanceof TranslateError) return null
    throw thrown
  }
}

function parsedOf(bytes: Uint8Array): unknown {
  try {
    const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return JSON.parse(source) as unknown
  } catch {
    return undefined
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with white space and escapes where writers may put them. */
const spelled = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 3))
  .map(([value, indent]) => JSON.stringify({ input: value, n: 1 }, null, indent))

/** The same, bent: bytes exchanged, dropped or doubled. */
const bent = fc
  .tuple(spelled, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3)), { maxLength: 3 }))
  .map(([json, blows]) => {
    let bytes = [...bytesOf(json)]
    for (const [place, code, kind] of blows) {
      const at = place % (bytes.length + 1)
      if (kind === 0) bytes[at] = code
      else if (kind === 1) bytes.splice(at, 1)
      else if (kind === 2) bytes.splice(at, 0, '{}[]",:\\ue0'.charCodeAt(code % 11))
      else bytes = [...bytes.slice(0, at), ...bytes.slice(at >> 1)]
    }
    return Uint8Array.from(bytes)
  })

test('a body is accepted exactly when the host parses it to an object', () => {
  fc.assert(
    fc.property(bent, bytes => {
      expect(scanOf(bytes) !== null, text(bytes)).toBe(isObject(parsedOf(bytes)))
    }),
    { ...OPTIONS, numRuns: 3_000 },
  )
})

test('noise is never accepted for an object it is not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      expect(scanOf(bytes) !== null).toBe(isObject(parsedOf(bytes)))
    }),
    OPTIONS,
  )
})

const member = fc.oneof(
  fc.constantFrom('"model":"a"', '"model": "b/c"', '"mod\\u0065l":"d"', '"stream":true', '"stream" : false'),
  fc.constantFrom(
    '"stream_options":null',
    '"stream_options":{}',
    '"stream_options":{"include_usage":false}',
    '"stream_options": { "x":1, "include_usage" : true }',
    '"stream_options":{"include_obfuscation":true}',
  ),
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 }))
    .map(([name, value]) => `${JSON.stringify(`x${name}`)}:${JSON.stringify(value)}`),
  fc.constantFrom('"n":1.0', '"n":12345678901234567890', '"n":1E+2', '"metadata":{"model":"not me"}'),
)

const body = fc
  .tuple(fc.array(member, { maxLength: 6 }), fc.constantFrom('', ' ', '\n  '))
  .map(([members, space]) => `${space}{${space}${members.join(`${space},${space}`)}${space}}${space}`)

test('a splice means what the same change means to the parsed body', () => {
  fc.assert(
    fc.property(body, fc.option(fc.string()), fc.boolean(), (json, model, includeUsage) => {
      const scan = scanRequest('openai-chat', bytesOf(json))
      const edits = { ...(model === null ? {} : { model }), ...(includeUsage ? { includeUsage } : {}) }
      const before = JSON.parse(json) as Record<string, unknown>
      const after = JSON.parse(text(spliceRequest(scan, edits))) as Record<string, unknown>
      const wanted: Record<string, unknown> = { ...before, ...(model === null ? {} : { model }) }
      if (includeUsage)
        wanted['stream_options'] = { ...(before['stream_options'] as object | null), include_usage: true }
      expect(after).toEqual(wanted)
    }),
    OPTIONS,
  )
})

test('a splice that undoes another gives the bytes back', () => {
  const once = fc
    .tuple(body, fc.string())
    .filter(([json]) => (json.match(/"mod(?:e|\\u0065)l"\s*:\s*"[^n]/g) ?? []).length === 1)
  fc.assert(
    fc.property(once, ([json, model]) => {
      const scan = scanRequest('openai-responses', bytesOf(json))
      const there = spliceRequest(scan, { model })
      const back = spliceRequest(scanRequest('openai-responses', there), { model: scan.model! })
      const agreed = spliceRequest(scan, {})
      expect(text(back)).toBe(text(agreed))
    }),
    OPTIONS,
  )
})

test('bytes outside the members that change stay where they are', () => {
  fc.assert(
    fc.property(body, fc.string(), (json, model) => {
      const bytes = bytesOf(json)
      const scan = scanRequest('openai-chat', bytes)
      const out = text(spliceRequest(scan, { model, includeUsage: true }))
      // Everything but the values of the three members, in order, is found again in the result.
      let from = 0
      let read = 0
      for (const range of scan.walk.members) {
        const kept = text(bytes.subarray(read, range.from))
        from = out.indexOf(kept, from)
        expect(from, kept).toBeGreaterThanOrEqual(0)
        from += kept.length
        read = range.to
      }
    }),
    OPTIONS,
  )
})
