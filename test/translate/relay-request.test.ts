// The look at a client's body and the splices: what is refused and how it is said, what changes and what does not.

import { describe, expect, test } from 'vitest'
import {
  type DialectId,
  type RequestEdits,
  scanRequest,
  spliceRequest,
  TranslateError,
} from '../../src/translate/index.ts'
import { bytes as bytesOf, prompts, text } from './harness.ts'

function refusal(body: string | Uint8Array, dialect: DialectId = 'openai-chat'): [string, string | null] {
  try {
    scanRequest(dialect, typeof body === 'string' ? bytesOf(body) : body)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TranslateError)
    const error = thrown as TranslateError
    expect([error.kind, error.code, error.reply.status]).toEqual(['invalid', null, 400])
    return [error.message, error.param]
  }
  return ['accepted', null]
}

describe('a body is refused', () => {
  test.each<[string, string]>([
    ['', 'the body is empty; a JSON object is expected'],
    [' \r\n\t', 'the body is empty; a JSON object is expected'],
    ['[]', 'the body must be a JSON object, found an array'],
    ['"model"', 'the body must be a JSON object, found a string'],
    ['-1', 'the body must be a JSON object, found a number'],
    ['model=x', 'the body is not JSON: expected an object at byte 0'],
    ['\ufeff{}', 'the body starts with a byte order mark; JSON has none'],
    ['{', 'the body is not JSON: expected more at byte 1'],
    ['{"a"', 'the body is not JSON: expected a colon at byte 4'],
    ['{"a":}', 'the body is not JSON: expected a value at byte 5'],
    ['{"a":1,}', 'the body is not JSON: expected a member name at byte 7'],
    ['{"a":[1,]}', 'the body is not JSON: expected a value at byte 8'],
    ['{"a":[1 2]}', 'the body is not JSON: expected a comma or a closing bracket at byte 8'],
    ['{"a":1]', 'the body is not JSON: expected a comma or a closing brace at byte 6'],
    ['{"a":01}', 'the body is not JSON: expected a comma or a closing brace at byte 6'],
    ['{"a":1.}', 'the body is not JSON: expected a digit at byte 7'],
    ['{"a":tru}', 'the body is not JSON: expected a value at byte 5'],
    ['{"a":"\\x"}', 'the body is not JSON: expected an escape at byte 6'],
    ['{"a":"\\u12g4"}', 'the body is not JSON: expected four hexadecimal digits at byte 6'],
    ['{"a":"\n"}', 'the body is not JSON: expected a string without control characters at byte 6'],
    ['{"a":"b', 'the body is not JSON: expected the end of a string at byte 7'],
    ['{} {}', 'the body is not JSON: expected the end at byte 3'],
  ])('when it is %j', (body, message) => {
    expect(refusal(body)).toEqual([message, null])
  })

  test.each<[string, number[]]>([
    ['a lone continuation', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a torn sequence', [0xe2, 0x82]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['overlong in four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
  ])('when a string holds %s', (_, sequence) => {
    const body = Uint8Array.from([...bytesOf('{"a":"'), ...sequence, ...bytesOf('"}')])
    expect(refusal(body)).toEqual(['the body is not valid UTF-8 at byte 6', null])
  })

  test('when it nests a hundred thousand levels deep, and the bound is named', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ]) {
      const deep = `{"a":${open!.repeat(100_000)}1${close!.repeat(100_000)}}`
      expect(refusal(deep)).toEqual(['the body nests deeper than 256 levels', null])
    }
    const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(refusal(nested(255))[0]).toBe('accepted')
    expect(refusal(nested(256))[0]).toBe('the body nests deeper than 256 levels')
  })

  test.each<[string, string, string]>([
    ['{"model":7}', '`model` must be a string, found a number', 'model'],
    ['{"model":null}', '`model` must be a string, found null', 'model'],
    ['{"model":["a"]}', '`model` must be a string, found an array', 'model'],
    [`{"model":"${'x'.repeat(2_000)}"}`, '`model` is longer than 1024 bytes', 'model'],
    ['{"stream":"true"}', '`stream` must be true or false, found a string', 'stream'],
    ['{"stream":1}', '`stream` must be true or false, found a number', 'stream'],
    ['{"stream_options":true}', '`stream_options` must be an object, found true', 'stream_options'],
    [
      '{"stream_options":{"include_usage":"yes"}}',
      '`stream_options.include_usage` must be true or false, found a string',
      'stream_options.include_usage',
    ],
  ])('when a member has the wrong kind: %j', (body, message, param) => {
    expect(refusal(body)).toEqual([message, param])
  })

  test('never for members whose meaning is another dialect’s business', () => {
    expect(refusal('{"stream_options":true}', 'anthropic-messages')[0]).toBe('accepted')
    for (const dialect of ['gemini-generate', 'bedrock-converse'] as const) {
      expect(refusal('{"model":7,"stream":"x"}', dialect)[0]).toBe('accepted')
    }
  })
})

test('a scan tells model, stream and usage', () => {
  const scan = scanRequest(
    'openai-chat',
    bytesOf('{"model":"a\\u002fb","stream":true,"stream_options":{"include_usage":true}}'),
  )
  expect([scan.model, scan.stream, scan.includeUsage]).toEqual(['a/b', true, true])
  const bare = scanRequest('openai-responses', bytesOf('{}'))
  expect([bare.model, bare.stream, bare.includeUsage]).toEqual([null, false, false])
  const path = scanRequest('gemini-generate', bytesOf('{"model":"x","stream":true}'))
  expect([path.model, path.stream]).toEqual([null, false])
})

describe('a splice', () => {
  function spliced(body: string, edits: RequestEdits, dialect: DialectId = 'openai-chat'): string {
    return text(spliceRequest(scanRequest(dialect, bytesOf(body)), edits))
  }

  test('of nothing gives the same bytes, not a copy', () => {
    for (const body of [
      '{"model":"a"}',
      '{"model":"a","stream":true,"stream_options":{"include_usage":true}}',
    ]) {
      const bytes = bytesOf(body)
      const scan = scanRequest('openai-chat', bytes)
      expect(spliceRequest(scan, {})).toBe(bytes)
      expect(spliceRequest(scan, { model: 'a' })).toBe(bytes)
    }
    const asked = bytesOf('{"stream_options":{"include_usage":true}}')
    expect(spliceRequest(scanRequest('openai-chat', asked), { includeUsage: true })).toBe(asked)
  })

  test.each<[string, RequestEdits, string]>([
    [' { "model" : "a" , "x":1e400 }\n', { model: 'b"c' }, ' { "model" : "b\\"c" , "x":1e400 }\n'],
    ['{"x":1}', { model: 'b' }, '{"x":1,"model":"b"}'],
    ['{}', { model: 'b' }, '{"model":"b"}'],
    ['{ }', { model: 'b' }, '{"model":"b" }'],
    ['{}', { model: 'b', includeUsage: true }, '{"model":"b","stream_options":{"include_usage":true}}'],
    ['{"a":1}', { includeUsage: true }, '{"a":1,"stream_options":{"include_usage":true}}'],
    ['{"a":1 }', { includeUsage: true }, '{"a":1,"stream_options":{"include_usage":true} }'],
    ['{"stream_options":null}', { includeUsage: true }, '{"stream_options":{"include_usage":true}}'],
    ['{"stream_options":{}}', { includeUsage: true }, '{"stream_options":{"include_usage":true}}'],
    [
      '{"stream_options":{"include_obfuscation":false}}',
      { includeUsage: true },
      '{"stream_options":{"include_obfuscation":false,"include_usage":true}}',
    ],
    [
      '{"stream_options" : { "include_usage" : false , "x" : [] } }',
      { includeUsage: true },
      '{"stream_options" : { "include_usage" : true , "x" : [] } }',
    ],
    [
      '{"stream_options":{"include_usage":null}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream_options":{"a":1},"model":"m"}',
      { model: 'n', includeUsage: true },
      '{"stream_options":{"a":1,"include_usage":true},"model":"n"}',
    ],
    ['{"messages":[{"model":"a"}],"model":"a"}', { model: 'b' }, '{"messages":[{"model":"a"}],"model":"b"}'],
    ['{"m\\u006fdel":"a"}', { model: 'b' }, '{"m\\u006fdel":"b"}'],
  ])('of %s', (body, edits, wanted) => {
    expect(spliced(body, edits)).toBe(wanted)
  })

  test('of members that are there twice leaves nothing to disagree about: the last one counts', () => {
    expect(spliced('{"model":"a","model":"b"}', {})).toBe('{"model":"b","model":"b"}')
    expect(spliced('{"model":"a","model":"b"}', { model: 'c' })).toBe('{"model":"c","model":"c"}')
    expect(spliced('{"model":"b","model":"b"}', {})).toBe('{"model":"b","model":"b"}')
    expect(spliced('{"stream":false,"stream":true}', {})).toBe('{"stream":true,"stream":true}')
    expect(spliced('{"stream_options":{"include_usage":true},"stream_options":null}', {})).toBe(
      '{"stream_options":null,"stream_options":null}',
    )
    expect(spliced('{"stream_options":1,"stream_options":{"a":2}}', { includeUsage: true })).toBe(
      '{"stream_options":{"a":2,"include_usage":true},"stream_options":{"a":2,"include_usage":true}}',
    )
    expect(
      spliced('{"stream_options":{"include_usage":false,"include_usage":false}}', { includeUsage: true }),
    ).toBe('{"stream_options":{"include_usage":true,"include_usage":true}}')
    const scan = scanRequest('openai-chat', bytesOf('{"model":"a","mode\\u006c":"b"}'))
    expect(scan.model).toBe('b')
    expect(text(spliceRequest(scan, {}))).toBe('{"model":"b","mode\\u006c":"b"}')
  })

  test.each(prompts('openai-chat'))(
    'of the recorded prompt $name changes the model and nothing else',
    prompt => {
      const body = text(prompt.bytes)
      const scan = scanRequest('openai-chat', prompt.bytes)
      const model = /"model":\s*("[^"]*")/.exec(body)!
      const at = model.index + model[0].length - model[1]!.length
      const wanted = `${body.slice(0, at)}"another"${body.slice(at + model[1]!.length)}`
      expect(text(spliceRequest(scan, { model: 'another' }))).toBe(wanted)
    },
  )
})
