// Forms with files: streamed to the upstream, held by nobody, with the model found in their first bytes.

import OpenAI, { toFile } from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LateField } from '../../src/gateway/late-field.ts'
import { formBoundary, FieldLook } from '../../src/gateway/multipart.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { benchFetch } from './forward-fetch.ts'
import { Bench, provider, type Reply, type Sent } from './harness.ts'

const BOUNDARY = 'xBOUNDARYx'
const FORM = ['content-type', `multipart/form-data; boundary=${BOUNDARY}`]
const OK = {
  headers: ['content-type', 'application/json'],
  body: '{"text":"hi","usage":{"input_tokens":3,"output_tokens":1}}',
}
const TRANSCRIBE = '/v1/audio/transcriptions'

/** Fifty megabytes go through one process, on a machine that does other things. */
const PATIENT = { headersMs: 20_000, firstByteMs: 20_000 }

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  upstream.always(() => OK)
  bench = new Bench({ providers: [wildcard('openai')], upstream: PATIENT })
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  expect(bench.bugs).toEqual([])
})

function wildcard(name: string, origin = upstream.origin) {
  return provider(`${name}/*`, origin, {
    provider: name,
    model: '*',
    wildcardPrefix: name,
    pathPrefix: `/${name}/v1`,
  })
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
}

function file(bytes: number): string {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n`
  return `${head}${'f'.repeat(bytes)}\r\n`
}

const END = `--${BOUNDARY}--\r\n`

/** Sends a form in pieces of `pieceBytes`, waiting where it is told to. */
async function send(target: string, form: string, pieceBytes = 10_000, headers = FORM): Promise<Reply> {
  const sent = open(target, Buffer.byteLength(form), headers)
  await give(sent, form, pieceBytes)
  return sent.reply.done
}

function open(target: string, contentLength: number | null, headers = FORM): Sent {
  return bench.open('POST', target, headers, contentLength)
}

async function give({ sink, reply }: Sent, form: string, pieceBytes: number, ends = true): Promise<void> {
  const bytes = Buffer.from(form)
  for (let at = 0; at < bytes.length && reply.ending === null; at += pieceBytes) {
    const resumed = new Promise<void>(resolve => (reply.onResumeBody = resolve))
    if (!sink.chunk(bytes.subarray(at, at + pieceBytes))) await Promise.race([resumed, reply.done])
  }
  if (ends) sink.bodyEnd()
}

describe('a form', () => {
  test.each([1, 3, 1_000, 1_000_000])(
    'in pieces of %i bytes arrives with its model renamed',
    async pieceBytes => {
      const form = field('model', 'openai/whisper-1') + field('language', 'de') + file(5_000) + END
      const reply = await send(TRANSCRIBE, form, pieceBytes)
      expect([reply.status, reply.text]).toEqual([200, OK.body])
      const [seen] = upstream.requests
      expect(seen?.path).toBe('/openai/v1/audio/transcriptions')
      expect(seen?.text()).toBe(form.replace('openai/whisper-1', 'whisper-1'))
      expect(seen?.header('content-length')).toBe(String(form.length - 'openai/'.length))
      expect(seen?.header('content-type')).toBe(FORM[1])
      expect(bench.records[0]).toMatchObject({
        bytesIn: form.length,
        modelAsked: 'openai/whisper-1',
        modelSent: 'whisper-1',
        usage: { inputTokens: 3, outputTokens: 1 },
        outcome: 'ok',
      })
    },
  )

  test('of unknown length is sent chunked', async () => {
    const form = field('model', 'openai/whisper-1') + file(200_000) + END
    const sent = open(TRANSCRIBE, null)
    await give(sent, form, 7_000)
    expect((await sent.reply.done).status).toBe(200)
    expect(upstream.requests[0]?.header('transfer-encoding')).toBe('chunked')
    expect(upstream.requests[0]?.text().length).toBe(form.length - 'openai/'.length)
  })

  test('with its model behind a short file is understood', async () => {
    const form = file(5_000) + field('model', 'openai/whisper-1') + END
    expect((await send(TRANSCRIBE, form)).status).toBe(200)
    expect(upstream.requests[0]?.text()).toBe(form.replace('openai/whisper-1', 'whisper-1'))
  })

  test('with its model behind a long file goes to the only provider, and a bare name stays as it is', async () => {
    const form = file(300_000) + field('model', 'whisper-1') + END
    expect((await send(TRANSCRIBE, form)).status).toBe(200)
    expect(upstream.requests[0]?.text()).toBe(form)
  })

  test.each([1_000, 9_999, 400_000])(
    'with its model behind a long file has it renamed on the way, in pieces of %i bytes, at the same length',
    async pieceBytes => {
      const form = file(300_000) + field('model', 'openai/whisper-1') + field('language', 'de') + END
      expect((await send(TRANSCRIBE, form, pieceBytes)).status).toBe(200)
      const [seen] = upstream.requests
      expect(seen?.header('content-length')).toBe(String(form.length))
      const text = seen!.text()
      expect(text).toBe(
        form
          .replace('openai/whisper-1', 'whisper-1')
          .replace(
            'Disposition: form-data; name="model"',
            `Disposition:${' '.repeat(8)}form-data; name="model"`,
          ),
      )
      const read = await new Response(text, { headers: { 'content-type': FORM[1]! } }).formData()
      expect(read.get('model')).toBe('whisper-1')
      expect(bench.records[0]).toMatchObject({ modelAsked: 'openai/whisper-1', modelSent: 'whisper-1' })
    },
  )

  test('with its model behind a long file and of another provider is refused in its middle', async () => {
    await bench.close()
    bench = new Bench({
      providers: [{ ...wildcard('openai'), isDefault: true }, wildcard('groq')],
      upstream: PATIENT,
    })
    const form = file(300_000) + field('model', 'groq/whisper-1') + END
    const reply = await send(TRANSCRIBE, form, 10_000, [...FORM, 'x-gateway-provider', 'openai'])
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { param: 'model', code: 'model_too_late' } })
    await until('the upstream is left', () => upstream.socketsOpen === 0)
    expect(upstream.requests).toEqual([])
  })

  test('with its model behind a long file is refused where several providers could be meant', async () => {
    await bench.close()
    bench = new Bench({ providers: [wildcard('openai'), wildcard('groq')] })
    const form = file(300_000) + field('model', 'groq/whisper-1') + END
    const reply = await send(TRANSCRIBE, form)
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { param: 'model', code: 'model_too_late' } })
    const named = await send(TRANSCRIBE, form, 10_000, [...FORM, 'x-gateway-provider', 'groq'])
    expect(named.status).toBe(200)
    expect(upstream.requests.map(seen => seen.path)).toEqual(['/groq/v1/audio/transcriptions'])
  })

  test('is not mistaken about a file that is called model, or that holds what looks like a field', async () => {
    const fake = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"; filename="m"\r\n\r\nnobody/x\r\n`
    const form = `${fake}--${BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nname="model"\r\n\r\nnobody/y\r\n${field('model', 'openai/whisper-1')}${END}`
    expect((await send(TRANSCRIBE, form)).status).toBe(200)
    expect(upstream.requests[0]?.text()).toBe(form.replace('openai/whisper-1', 'whisper-1'))
  })

  test('without a model needs none where a file is stored', async () => {
    const form = field('purpose', 'batch') + file(100_000) + END
    expect((await send('/v1/files', form)).status).toBe(200)
    expect(upstream.requests[0]?.text()).toBe(form)
  })

  test('that names a model nobody has is refused before anything is sent', async () => {
    const reply = await send(TRANSCRIBE, field('model', 'nobody/x') + file(500_000) + END)
    expect(reply.status).toBe(404)
    expect(reply.json).toMatchObject({ error: { code: 'model_not_found' } })
    expect(upstream.requests).toEqual([])
  })

  test.each([
    ['no form', ['content-type', 'application/json']],
    ['a form without a boundary', ['content-type', 'multipart/form-data']],
    ['an encoded form', [...FORM, 'content-encoding', 'gzip']],
  ])('that is %s is refused', async (_what, headers) => {
    const reply = await send(TRANSCRIBE, '{}', 10, headers)
    expect(reply.status).toBe(415)
    expect(upstream.requests).toEqual([])
  })

  test('streams its reply where that is asked for', async () => {
    const events = [
      'data: {"type":"transcript.text.delta","delta":"h"}\n\n',
      'data: {"type":"transcript.text.done","usage":{"type":"tokens","input_tokens":8,"output_tokens":2}}\n\n',
    ]
    upstream.always(() => ({ headers: ['content-type', 'text/event-stream'], frames: events }))
    const reply = await send(
      TRANSCRIBE,
      field('model', 'openai/m') + field('stream', 'true') + file(10) + END,
    )
    expect(reply.text).toBe(events.join(''))
    expect(bench.records[0]?.usage).toMatchObject({ inputTokens: 8, outputTokens: 2 })
  })
})

describe('a form’s cost', () => {
  const MILLION =
    '{"text":"hi","usage":{"type":"tokens","input_tokens":1000000,"input_token_details":{"audio_tokens":900000,"text_tokens":100000},"output_tokens":100000}}'
  const COST = 0.9 * 6 + 0.1 * 2.5 + 0.1 * 10

  beforeEach(() => upstream.always(() => ({ ...OK, body: MILLION })))

  test.each([
    ['in front of its file', field('model', 'openai/gpt-4o-transcribe') + file(300_000)],
    ['behind a short file', file(5_000) + field('model', 'openai/gpt-4o-transcribe')],
    ['behind a file that is not held', file(300_000) + field('model', 'openai/gpt-4o-transcribe')],
    ['bare, behind a file that is not held', file(300_000) + field('model', 'gpt-4o-transcribe')],
  ])('is that of its model, which stands %s', async (_where, form) => {
    expect((await send(TRANSCRIBE, form + END)).status).toBe(200)
    const [record] = bench.records
    expect(record).toMatchObject({
      modelSent: 'gpt-4o-transcribe',
      modelLabel: 'openai/*',
      usage: { inputTokens: 1_000_000, audioInputTokens: 900_000 },
    })
    expect(record!.costUsd).toBeCloseTo(COST, 9)
  })

  test('is that of the entry which the late name means, not of the one it was sent by', async () => {
    await bench.close()
    const entry = provider('house/a-dear-transcriber', upstream.origin, {
      provider: 'openai',
      model: 'gpt-4o-transcribe',
      pathPrefix: '/openai/v1',
    })
    const cheap = { ...entry, name: 'house/cheap', model: 'gpt-4o-mini-transcribe', isDefault: true }
    bench = new Bench({ providers: [cheap, entry], upstream: PATIENT })
    await send(TRANSCRIBE, file(300_000) + field('model', 'house/a-dear-transcriber') + END)
    expect(bench.records[0]).toMatchObject({
      modelSent: 'gpt-4o-transcribe',
      modelLabel: 'house/a-dear-transcriber',
    })
    expect(bench.records[0]!.costUsd).toBeCloseTo(COST, 9)
  })

  test('by the second is told by the reply', async () => {
    upstream.always(() => ({ ...OK, body: '{"text":"hi","usage":{"type":"duration","seconds":90}}' }))
    await send(TRANSCRIBE, file(300_000) + field('model', 'openai/whisper-1') + END)
    expect(bench.records[0]!.costUsd).toBeCloseTo(0.009, 9)
  })

  test('is not guessed from the bytes of a recording when its reply is cut', async () => {
    upstream.always(() => ({
      headers: ['content-type', 'text/event-stream'],
      frames: ['data: {"type":"transcript.text.delta","delta":"h"}\n\n', 'data: {"ty'],
      behaviour: { cutAfterBytes: 60 },
    }))
    await send(TRANSCRIBE, field('model', 'openai/gpt-4o-transcribe') + file(300_000) + END)
    expect(bench.records[0]).toMatchObject({ usage: null, costUsd: null })
    expect(bench.records[0]!.outcome).not.toBe('ok')
  })
})

describe('while a form is on its way', () => {
  test('the client is not read faster than the upstream takes, and memory holds next to nothing', async () => {
    const piece = 'f'.repeat(64 * 1024)
    const sent = open(TRANSCRIBE, null)
    let refusals = 0
    let given = 0
    const head = field('model', 'openai/whisper-1') + file(0).slice(0, -2)
    await give(sent, head, 1_000, false)
    await until('the upstream is asked', () => upstream.socketsOpen > 0)
    for (; given < 800; given += 1) {
      const resumed = new Promise<void>(resolve => (sent.reply.onResumeBody = resolve))
      if (sent.sink.chunk(Buffer.from(piece))) continue
      refusals += 1
      await resumed
    }
    sent.sink.chunk(Buffer.from(`\r\n${END}`))
    sent.sink.bodyEnd()
    expect((await sent.reply.done).status).toBe(200)
    expect(refusals).toBeGreaterThan(0)
    expect(upstream.requests[0]?.body.length).toBe(
      head.length - 'openai/'.length + 800 * piece.length + END.length + 2,
    )
  })

  test('a client that leaves takes its upstream call along', async () => {
    const sent = open(TRANSCRIBE, 100_000)
    await give(sent, field('model', 'openai/whisper-1') + file(1_000), 1_000, false)
    await until('the upstream is connected', () => upstream.socketsOpen === 1)
    sent.sink.gone()
    await until('the upstream is left', () => upstream.socketsOpen === 0)
    expect(bench.records[0]?.outcome).toBe('client-closed')
    expect(bench.services.upstream.pools()[0]).toMatchObject({ busy: 0, idle: 0 })
  })

  test('a body that breaks is answered and not completed upstream', async () => {
    const { GatewayError } = await import('../../src/common/errors.ts')
    const sent = open(TRANSCRIBE, 100_000)
    await give(sent, field('model', 'openai/whisper-1') + file(1_000), 1_000, false)
    await until('the upstream is connected', () => upstream.socketsOpen === 1)
    sent.sink.bodyFailed(new GatewayError('request-timeout', 'too slow'))
    expect((await sent.reply.done).status).toBe(408)
    await until('the upstream is left', () => upstream.socketsOpen === 0)
    expect(upstream.requests).toEqual([])
  })

  test('a refused connection is replaced by another key’s, a broken one is not', async () => {
    const gone = await startFakeUpstream()
    await gone.close()
    await bench.close()
    bench = new Bench({ providers: [wildcard('openai', gone.origin)], listener: { maxRetries: 2 } })
    const form = field('model', 'openai/whisper-1') + file(10) + END
    const reply = await send(TRANSCRIBE, form)
    expect(reply.status).toBe(502)
    expect(bench.records[0]?.attempts).toBe(3)
    await bench.close()
    upstream.always(() => ({ behaviour: { resetBeforeHeaders: true } }))
    bench = new Bench({ providers: [wildcard('openai')], listener: { maxRetries: 2 } })
    expect((await send(TRANSCRIBE, form)).status).toBe(502)
    expect(bench.records[0]?.attempts).toBe(1)
    expect(upstream.requests).toHaveLength(1)
  })
})

describe('the official client', () => {
  function client(): OpenAI {
    return new OpenAI({ apiKey: 'k', baseURL: 'http://gateway/v1', fetch: benchFetch(bench), maxRetries: 0 })
  }

  test('has a recording transcribed, whatever the order of its fields', async () => {
    const recording = await toFile(Buffer.alloc(20_000, 1), 'a.wav')
    const one = await client().audio.transcriptions.create({ model: 'openai/whisper-1', file: recording })
    const other = await client().audio.transcriptions.create({ file: recording, model: 'openai/whisper-1' })
    expect([one.text, other.text]).toEqual(['hi', 'hi'])
    for (const seen of upstream.requests) expect(seen.text()).toContain('name="model"\r\n\r\nwhisper-1\r\n')
  })

  test('stores a file and edits a picture', async () => {
    upstream.always(() => ({
      headers: ['content-type', 'application/json'],
      body: '{"id":"file-1","data":[]}',
    }))
    const stored = await client().files.create({
      purpose: 'batch',
      file: await toFile(Buffer.from('{}'), 'a.jsonl'),
    })
    expect(stored.id).toBe('file-1')
    await client().images.edit({
      model: 'openai/gpt-image-1',
      prompt: 'a',
      image: await toFile(Buffer.alloc(9), 'a.png'),
    })
    expect(upstream.requests.map(seen => seen.path)).toEqual(['/openai/v1/files', '/openai/v1/images/edits'])
  })
})

describe('a boundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b:c"', 'a b:c'],
    ['multipart/mixed; boundary=abc', null],
    ['multipart/form-data; boundary=', null],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, null],
    [null, null],
  ])('of %s is %s', (contentType, boundary) => {
    expect(formBoundary(contentType)).toBe(boundary)
  })

  test('that is torn anywhere is found', () => {
    const form = `${field('a', '1')}${field('model', 'm-1')}${END}`
    for (let cut = 0; cut <= form.length; cut++) {
      const look = new FieldLook('model', BOUNDARY)
      look.push(Buffer.from(form.slice(0, cut)))
      const early = look.look()
      look.push(Buffer.from(form.slice(cut)))
      const found = early === 'more' ? look.look() : early
      expect(found).toMatchObject({ value: 'm-1' })
    }
  })
})

describe('a field behind a file', () => {
  function late(form: string, pieces: readonly number[], lengthIsFixed = true, to = 'm'): string {
    const bytes = Buffer.from(form)
    const filter = new LateField('model', BOUNDARY, lengthIsFixed, () => to)
    const out: Uint8Array[] = []
    let at = 0
    for (const size of pieces) {
      out.push(...filter.push(bytes.subarray(at, at + size)).map(piece => Buffer.from(piece)))
      at += size
    }
    out.push(...filter.push(bytes.subarray(at)), ...filter.end())
    return Buffer.concat(out).toString()
  }

  const FORM_TEXT = file(50) + field('model', 'v/m') + field('x', 'v/m') + END

  test('is exchanged wherever the bytes are torn', () => {
    const whole = late(FORM_TEXT, [])
    expect(whole.length).toBe(FORM_TEXT.length)
    expect(whole).toContain('Disposition:   form-data; name="model"\r\n\r\nm\r\n')
    for (let cut = 0; cut <= FORM_TEXT.length; cut++) expect(late(FORM_TEXT, [cut])).toBe(whole)
    expect(late(FORM_TEXT, new Array<number>(FORM_TEXT.length).fill(1))).toBe(whole)
  })

  test('grows where the length is open, and is refused where it is not', () => {
    expect(late(FORM_TEXT, [], false, 'longer-name')).toBe(FORM_TEXT.replace('v/m', 'longer-name'))
    expect(() => late(FORM_TEXT, [], true, 'longer-name')).toThrow(/longer name/)
  })

  test.each([
    ['no such field', file(50) + field('x', 'v/m') + END],
    ['a value that is no name', file(50) + field('model', 'v'.repeat(5_000)) + END],
    ['a part with an endless head', `${file(50)}--${BOUNDARY}\r\n${'h'.repeat(20_000)}`],
    ['no end', file(50) + field('model', 'v/m').slice(0, -2)],
    ['nothing', ''],
  ])('passes a form with %s as it is', (_what, form) => {
    expect(late(form, [20, 30, 1_000])).toBe(form)
  })
})
