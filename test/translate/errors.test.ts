// Errors as whole replies, both ways: what upstreams' bodies mean, what clients are given, and what the official
// clients make of it.

import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import {
  DIALECTS,
  type DialectId,
  type ErrorKind,
  type ErrorReply,
  readError,
  writeError,
  type WrittenError,
} from '../../src/translate/index.ts'
import { bytes as bytesOf, text } from './harness.ts'

interface Recorded {
  readonly name: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** Members the reading must have. */
  readonly is: Partial<ErrorReply>
}

function recorded(dialect: DialectId): Recorded[] {
  const folder = join(import.meta.dirname, '../fixtures', dialect, 'errors')
  return readdirSync(folder)
    .sort()
    .map(file => ({
      ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Recorded, 'name'>),
      name: file.replace('.json', ''),
    }))
}

function readOf(dialect: DialectId, error: Recorded): ErrorReply {
  const body = typeof error.body === 'string' ? error.body : JSON.stringify(error.body)
  return readError(dialect, error.status, Object.entries(error.headers).flat(), bytesOf(body))
}

const KINDS: readonly ErrorKind[] = [
  'invalid',
  'unsupported',
  'context_length',
  'too_large',
  'auth',
  'permission',
  'not_found',
  'conflict',
  'rate_limit',
  'quota',
  'filter',
  'overloaded',
  'timeout',
  'upstream',
  'incomplete_stream',
  'internal',
]

function errorOf(kind: ErrorKind, more: Partial<ErrorReply> = {}): ErrorReply {
  return {
    kind,
    status: 500,
    message: 'what went wrong',
    param: null,
    code: null,
    retryAfterMs: null,
    from: 'gateway',
    requestId: 'req-7',
    ...more,
  }
}

function field(written: WrittenError, name: string): string | null {
  const at = written.headers.indexOf(name)
  return at === -1 ? null : written.headers[at + 1]!
}

function json(written: WrittenError): Record<string, never> {
  return JSON.parse(text(written.body)) as Record<string, never>
}

describe.each(DIALECTS)('an error of %s', dialect => {
  test.each(recorded(dialect))('$name is read for what it is', error => {
    const read = readOf(dialect, error)
    expect(read).toMatchObject({ status: error.status, from: dialect, ...error.is })
    if (error.is.retryAfterMs === undefined && error.is.kind !== 'quota') expect(read.retryAfterMs).toBeNull()
    expect(read.message).not.toBe('')
    expect(read.message).not.toContain('<')
  })

  test.each(recorded(dialect))('$name keeps its kind when it is written and read again', error => {
    const read = readOf(dialect, error)
    const written = writeError(dialect, read)
    const again = readError(dialect, written.status, written.headers, written.body)
    expect([read.kind, SAID[dialect](read.kind)]).toContain(again.kind)
    expect(again.message).toContain(read.message)
  })

  test.each(DIALECTS)('keeps its kind on the way to %s, as far as that dialect can say it', client => {
    for (const kind of KINDS) {
      const { status, headers, body } = writeError(client, errorOf(kind))
      expect(SAID[client](kind), `${kind} to ${client}`).toBe(readError(client, status, headers, body).kind)
    }
  })

  test('never fails to be read, whatever the body', () => {
    for (const body of ['', 'null', '[]', '[1]', '7', '"x"', '{', '{"error":null}', '{"error":[]}', '\u0000'])
      for (const status of [200, 302, 400, 418, 429, 500, 599]) {
        const read = readError(dialect, status, [], bytesOf(body))
        expect(read.message).not.toBe('')
        expect(writeError(dialect, read).status).toBeGreaterThanOrEqual(400)
      }
  })
})

/** Kinds that a dialect has one word for, told apart by nothing but the message. */
const SAID: Readonly<Record<DialectId, (kind: ErrorKind) => ErrorKind>> = {
  'openai-chat': kind => (kind === 'incomplete_stream' || kind === 'internal' ? 'upstream' : kind),
  'openai-responses': kind => (kind === 'incomplete_stream' || kind === 'internal' ? 'upstream' : kind),
  'anthropic-messages': kind => {
    if (kind === 'incomplete_stream' || kind === 'internal') return 'upstream'
    return kind === 'unsupported' || kind === 'filter' ? 'invalid' : kind
  },
  'bedrock-converse': kind => {
    if (kind === 'incomplete_stream' || kind === 'internal') return 'upstream'
    if (kind === 'auth') return 'permission'
    return ['unsupported', 'filter', 'context_length', 'too_large'].includes(kind) ? 'invalid' : kind
  },
  'gemini-generate': kind => {
    if (kind === 'incomplete_stream' || kind === 'internal') return 'upstream'
    if (kind === 'quota') return 'rate_limit'
    return ['unsupported', 'filter', 'context_length', 'too_large'].includes(kind) ? 'invalid' : kind
  },
}

describe('what a client is given', () => {
  test('is the form of its dialect', () => {
    const error = errorOf('not_found', { message: 'no such model', param: 'model' })
    expect(json(writeError('openai-chat', error))).toEqual({
      error: {
        message: 'no such model',
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      },
    })
    expect(json(writeError('anthropic-messages', error))).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: 'no such model' },
      request_id: 'req-7',
    })
    expect(json(writeError('bedrock-converse', error))).toEqual({ message: 'no such model' })
    expect(json(writeError('gemini-generate', error))).toMatchObject({
      error: { code: 404, message: 'no such model', status: 'NOT_FOUND' },
    })
  })

  test('says in its dialect how long to wait, and OpenAI clients never more than they obey', () => {
    const error = errorOf('rate_limit', { retryAfterMs: 90_500 })
    for (const dialect of ['openai-chat', 'openai-responses'] as const) {
      const written = writeError(dialect, error)
      expect([field(written, 'retry-after'), field(written, 'retry-after-ms')]).toEqual(['60', '60000'])
    }
    const messages = writeError('anthropic-messages', error)
    expect([field(messages, 'retry-after'), field(messages, 'retry-after-ms')]).toEqual(['91', '90500'])
    expect(field(writeError('bedrock-converse', error), 'retry-after')).toBe('91')
    const gemini = json(writeError('gemini-generate', error))
    expect(gemini['error']).toMatchObject({
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '91s' }],
    })
  })

  test('of a spent quota asks nobody to try again', () => {
    const error = errorOf('quota', { retryAfterMs: 5_000 })
    expect(field(writeError('openai-chat', error), 'x-should-retry')).toBe('false')
    const gemini = JSON.stringify(json(writeError('gemini-generate', error)))
    expect(gemini).toContain('QuotaFailure')
    expect(gemini).not.toContain('RetryInfo')
  })

  test('names the member at fault where the dialect has no member for it', () => {
    const error = errorOf('invalid', { param: 'messages[3].content', message: 'must not be empty' })
    for (const dialect of ['anthropic-messages', 'bedrock-converse'] as const)
      expect(text(writeError(dialect, error).body)).toContain('messages[3].content: must not be empty')
    const said = errorOf('invalid', { param: 'model', message: '`model` must be a string' })
    expect(text(writeError('anthropic-messages', said).body)).toContain(
      '"message":"`model` must be a string"',
    )
  })

  test('of a full context is what agents look for', () => {
    const error = errorOf('context_length', { message: 'Input is too long for requested model.' })
    expect(text(writeError('anthropic-messages', error).body)).toContain('"prompt is too long: Input is')
    expect(json(writeError('openai-chat', error))['error']).toMatchObject({
      code: 'context_length_exceeded',
      param: 'messages',
    })
    expect(json(writeError('openai-responses', error))['error']).toMatchObject({ param: 'input' })
  })

  test('keeps the upstream’s code within a family of dialects, and never crosses over with it', () => {
    const own = errorOf('invalid', { code: 'invalid_value', from: 'openai-chat' })
    expect(json(writeError('openai-responses', own))['error']).toMatchObject({ code: 'invalid_value' })
    const foreign = errorOf('rate_limit', { code: 'ThrottlingException', from: 'bedrock-converse' })
    expect(json(writeError('openai-chat', foreign))['error']).toMatchObject({ code: 'rate_limit_exceeded' })
  })

  test('carries the request id where its client looks', () => {
    expect(field(writeError('anthropic-messages', errorOf('internal')), 'request-id')).toBe('req-7')
    expect(field(writeError('bedrock-converse', errorOf('internal')), 'x-amzn-requestid')).toBe('req-7')
  })
})

describe('official clients throw', () => {
  const options = { apiKey: 'k', maxRetries: 0, logLevel: 'off' as const }

  function responseOf(written: WrittenError): Response {
    const headers = new Headers()
    for (let at = 0; at < written.headers.length; at += 2)
      headers.append(written.headers[at]!, written.headers[at + 1]!)
    headers.set('x-request-id', 'req-7')
    return new Response(Buffer.from(written.body), { status: written.status, headers })
  }

  async function thrownBy(call: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
    try {
      await call()
    } catch (thrown) {
      return thrown as Error & Record<string, unknown>
    }
    throw new Error('nothing was thrown')
  }

  const OPENAI: Partial<Record<ErrorKind, string>> = {
    invalid: 'BadRequestError',
    unsupported: 'BadRequestError',
    context_length: 'BadRequestError',
    too_large: 'APIError',
    auth: 'AuthenticationError',
    permission: 'PermissionDeniedError',
    not_found: 'NotFoundError',
    conflict: 'ConflictError',
    rate_limit: 'RateLimitError',
    quota: 'RateLimitError',
    filter: 'BadRequestError',
  }

  test.each(KINDS)('of the OpenAI family, for %s, the right class with our message and id', async kind => {
    for (const dialect of ['openai-chat', 'openai-responses'] as const) {
      const client = new OpenAI({
        ...options,
        fetch: async () => responseOf(writeError(dialect, errorOf(kind))),
      })
      const thrown = await thrownBy(() =>
        dialect === 'openai-chat'
          ? client.chat.completions.create({ model: 'm', messages: [] })
          : client.responses.create({ model: 'm', input: '' }),
      )
      expect(thrown.constructor.name).toBe(OPENAI[kind] ?? 'InternalServerError')
      expect(thrown).toMatchObject({ requestID: 'req-7', error: { message: 'what went wrong' } })
    }
  })

  const MESSAGES: Partial<Record<ErrorKind, string>> = {
    invalid: 'BadRequestError',
    unsupported: 'BadRequestError',
    context_length: 'BadRequestError',
    too_large: 'ContentTooLargeError',
    auth: 'AuthenticationError',
    permission: 'PermissionDeniedError',
    not_found: 'NotFoundError',
    conflict: 'ConflictError',
    rate_limit: 'RateLimitError',
    quota: 'PaymentRequiredError',
    filter: 'BadRequestError',
    timeout: 'GatewayTimeoutError',
    overloaded: 'OverloadedError',
  }

  test.each(KINDS)('of Anthropic, for %s, the right class with our message and id', async kind => {
    const written = writeError('anthropic-messages', errorOf(kind))
    const client = new Anthropic({ ...options, fetch: async () => responseOf(written) })
    const thrown = await thrownBy(() => client.messages.create({ model: 'm', max_tokens: 1, messages: [] }))
    expect(thrown.constructor.name).toBe(MESSAGES[kind] ?? 'InternalServerError')
    expect(thrown.message).toContain('what went wrong')
    expect(thrown['requestID']).toBe('req-7')
  })

  test.each(KINDS)('of Google, for %s, the status and the whole body', async kind => {
    const written = writeError('gemini-generate', errorOf(kind))
    const fetched = globalThis.fetch
    globalThis.fetch = async () => responseOf(written)
    try {
      const client = new GoogleGenAI({ apiKey: 'k' })
      const thrown = await thrownBy(() => client.models.generateContent({ model: 'm', contents: 'x' }))
      expect(thrown).toMatchObject({ name: 'ApiError', status: written.status })
      expect(JSON.parse(thrown.message)).toEqual(json(written))
    } finally {
      globalThis.fetch = fetched
    }
  })

  function bedrock(kind: ErrorKind, attempts: number, answers: () => void): Promise<unknown> {
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'k', secretAccessKey: 's' },
      maxAttempts: attempts,
      requestHandler: {
        handle: async () => {
          answers()
          const written = writeError('bedrock-converse', errorOf(kind, { retryAfterMs: 1 }))
          const headers: Record<string, string> = {}
          for (let at = 0; at < written.headers.length; at += 2)
            headers[written.headers[at]!] = written.headers[at + 1]!
          return {
            response: {
              statusCode: written.status,
              headers,
              body: Readable.from([Buffer.from(written.body)]),
            },
          }
        },
      } as never,
    })
    return client.send(new ConverseCommand({ modelId: 'm', messages: [] }))
  }

  const BEDROCK: Partial<Record<ErrorKind, string>> = {
    auth: 'AccessDeniedException',
    permission: 'AccessDeniedException',
    not_found: 'ResourceNotFoundException',
    conflict: 'ConflictException',
    rate_limit: 'ThrottlingException',
    quota: 'ServiceQuotaExceededException',
    overloaded: 'ServiceUnavailableException',
    timeout: 'ModelTimeoutException',
    upstream: 'ModelErrorException',
    incomplete_stream: 'ModelErrorException',
    internal: 'InternalServerException',
  }

  test.each(KINDS)('of AWS, for %s, the exception with our message and id', async kind => {
    const thrown = await thrownBy(() => bedrock(kind, 1, () => {}))
    expect(thrown.name).toBe(BEDROCK[kind] ?? 'ValidationException')
    expect(thrown.message).toBe('what went wrong')
    expect(thrown['$metadata']).toMatchObject({ requestId: 'req-7' })
  })

  /** What may be tried again is tried again, and nothing else. */
  const RETRIED: ReadonlySet<ErrorKind> = new Set([
    'rate_limit',
    'overloaded',
    'timeout',
    'upstream',
    'internal',
  ])

  test.each(KINDS)('or try again, for %s, as its kind deserves', async kind => {
    const may = RETRIED.has(kind) || kind === 'incomplete_stream' || kind === 'conflict'
    for (const dialect of ['openai-chat', 'anthropic-messages'] as const) {
      let calls = 0
      const fetch = async (): Promise<Response> => {
        calls += 1
        return responseOf(writeError(dialect, errorOf(kind, { retryAfterMs: 1 })))
      }
      if (dialect === 'openai-chat') {
        const client = new OpenAI({ ...options, maxRetries: 1, fetch })
        await thrownBy(() => client.chat.completions.create({ model: 'm', messages: [] }))
      } else {
        const client = new Anthropic({ ...options, maxRetries: 1, fetch })
        await thrownBy(() => client.messages.create({ model: 'm', max_tokens: 1, messages: [] }))
      }
      expect(calls, dialect).toBe(may ? 2 : 1)
    }
    let calls = 0
    await thrownBy(() => bedrock(kind, 2, () => void (calls += 1)))
    // The vendor's own client does not try again when a model failed (424) or took too long (408).
    const failed = kind === 'upstream' || kind === 'incomplete_stream' || kind === 'timeout'
    expect(calls, 'bedrock').toBe(RETRIED.has(kind) && !failed ? 2 : 1)
  })
})
