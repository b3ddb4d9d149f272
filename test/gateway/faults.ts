// The faults of the matrix: how an upstream goes wrong, and what must become of a client that has nobody else to turn
// to. Data, and the little code that puts a fault on the wire.

import type { Plan } from '../../src/common/config/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import type { Outcome, TryResult } from '../../src/telemetry/index.ts'
import {
  eventMessage,
  FAKE_DIALECTS,
  type FakeUpstream,
  type ScriptedReply,
} from '../support/fake-upstream/index.ts'

/** What a fault is called in the books. */
export interface Said {
  readonly outcome: Outcome
  readonly errorKind: string
  /** How the try is counted in `sluice_upstream_attempts_total`, and why the next one in `…_retries_total`. */
  readonly result: TryResult
  /** Status and error class in `brightstaff_llm_upstream_requests_total`. */
  readonly calls: string
}

/** What one caller without a fallback gets, and what is made of it. */
export interface Verdict extends Said {
  /** In the OpenAI dialects; see {@link statusIn}. */
  readonly status: number
  /** Enough of it opens the breaker. */
  readonly opens: boolean
}

/** The other dialects have statuses of their own for what an upstream did: their official clients act on them. */
const STATUSES_IN: Readonly<Partial<Record<DialectId, Readonly<Record<number, number>>>>> = {
  'anthropic-messages': { 503: 529 },
  'bedrock-converse': { 502: 424, 504: 408 },
}

export function statusIn(dialect: DialectId, status: number): number {
  return STATUSES_IN[dialect]?.[status] ?? status
}

export interface Fault extends Verdict {
  readonly name: string
  /** What the record may say instead when the reply is translated. */
  readonly translated?: Said
  /** Only streams can go wrong this way. */
  readonly streamsOnly?: boolean
  /** Breaks the upstream, which speaks `dialect`. */
  readonly breakIt: (upstream: FakeUpstream, dialect: DialectId) => void
  /** Milliseconds that the client is told to wait, where it is told. */
  readonly retryAfterMs?: number
  /** The fields that tell it, which a relayed client gets as they are. */
  readonly fields?: readonly string[]
  /** In the message that the client gets. */
  readonly message?: RegExp
  /** Only upstreams of this dialect go wrong in this way. */
  readonly speaks?: DialectId
  /** Time-outs that differ from the usual ones. */
  readonly upstream?: Partial<Plan['upstream']>
}

/** Time-outs short enough to be waited for, and far above what a sound upstream of this machine takes. */
export const WAIT_MS = 400

const JSON_TYPE = ['content-type', 'application/json']
/** No status came. */
const BROKE = {
  status: 502,
  outcome: 'upstream-broke',
  errorKind: 'upstream-broke',
  result: 'broken',
  calls: 'error stream',
  opens: true,
} as const
const UNSOUND = { ...BROKE, errorKind: 'upstream-protocol', calls: 'error parse' } as const
const SLOW = {
  status: 504,
  outcome: 'timeout',
  errorKind: 'upstream-timeout',
  result: 'timeout',
  calls: 'error timeout',
  opens: true,
} as const
/** Being asked for less is no fault of the upstream's. */
const LIMITED = {
  status: 429,
  outcome: 'upstream-error',
  errorKind: 'rate_limit',
  result: 'limited',
  calls: '4xx none',
  opens: false,
} as const
const FAILED = {
  status: 502,
  outcome: 'upstream-error',
  errorKind: 'upstream',
  result: 'upstream_error',
  calls: '5xx none',
  opens: true,
} as const
const OVERLOADED = { ...FAILED, status: 503, errorKind: 'overloaded' } as const
/** Nobody at the address, or somebody else. */
export const UNREACHABLE = {
  status: 502,
  outcome: 'upstream-unreachable',
  errorKind: 'upstream-connect',
  result: 'connect',
  calls: 'error connect',
  opens: true,
} as const
/** Somebody who does not answer when a connection is made. */
export const UNANSWERED = { ...SLOW, message: /connect deadline/, upstream: { connectMs: WAIT_MS } } as const

function always(reply: ScriptedReply): Fault['breakIt'] {
  return upstream => upstream.always(() => reply)
}

/** 429 in the upstream's own words, with what it says about when to come back. */
function limited(name: string, retryAfterMs: number, fields: readonly string[], body?: string): Fault {
  return {
    name: `429 with ${name}`,
    ...LIMITED,
    retryAfterMs,
    fields,
    breakIt: (upstream, dialect) => {
      const error = body ?? JSON.stringify(FAKE_DIALECTS[dialect].errorReply(429, 'slow down'))
      upstream.always(() => ({
        status: 429,
        headers: [...JSON_TYPE, 'x-amzn-errortype', 'ThrottlingException', ...fields],
        body: error,
      }))
    },
  }
}

const DATE = 'Thu, 26 Nov 2026 12:00:00 GMT'
const DATE_LATER = 'Thu, 26 Nov 2026 12:00:30 GMT'
const ISO_LATER = '2026-11-26T12:00:30Z'
const RETRY_INFO = JSON.stringify({
  error: {
    code: 429,
    message: 'slow down',
    status: 'RESOURCE_EXHAUSTED',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '30s' }],
  },
})

const LIMITS: readonly Fault[] = [
  limited('retry-after in seconds', 30_000, ['retry-after', '30']),
  limited('retry-after as a date', 30_000, ['date', DATE, 'retry-after', DATE_LATER]),
  limited('retry-after-ms', 30_000, ['retry-after-ms', '30000']),
  limited('x-ratelimit-reset-*', 30_000, [
    'x-ratelimit-remaining-requests',
    '0',
    'x-ratelimit-reset-requests',
    '30s',
  ]),
  limited('anthropic-ratelimit-*-reset', 30_000, [
    'date',
    DATE,
    'anthropic-ratelimit-tokens-remaining',
    '0',
    'anthropic-ratelimit-tokens-reset',
    ISO_LATER,
  ]),
  limited('x-ratelimit-reset-* of several units', 30_000, [
    'x-ratelimit-remaining-tokens',
    '0',
    'x-ratelimit-reset-tokens',
    '0m29.7s',
  ]),
  limited('x-ratelimit-reset in seconds', 30_000, ['x-ratelimit-remaining', '0', 'x-ratelimit-reset', '30']),
  limited('x-ratelimit-reset as a moment', 30_000, [
    'date',
    DATE,
    'x-ratelimit-remaining',
    '0',
    'x-ratelimit-reset',
    String(Date.parse(DATE_LATER)),
  ]),
  limited('ratelimit-reset', 30_000, ['ratelimit-remaining', '0', 'ratelimit-reset', '30']),
]

/** Google tells it in the body. */
export const GOOGLE_LIMIT: Fault = {
  ...limited('Google RetryInfo', 30_000, [], RETRY_INFO),
  speaks: 'gemini-generate',
}

const TRANSPORT: readonly Fault[] = [
  {
    name: 'a reset before the head',
    ...BROKE,
    breakIt: upstream => upstream.behave({ resetBeforeHeaders: true }),
  },
  {
    name: 'a close before the head',
    ...BROKE,
    breakIt: upstream => upstream.behave({ closeBeforeHeaders: true }),
  },
  {
    name: 'a reset after the head',
    ...BROKE,
    calls: '2xx stream',
    breakIt: upstream => upstream.behave({ resetAfterHeaders: true }),
  },
  {
    name: 'what is not HTTP',
    ...UNSOUND,
    breakIt: upstream => upstream.behave({ garbage: true }),
  },
  {
    name: 'no head in time',
    ...SLOW,
    upstream: { headersMs: WAIT_MS },
    breakIt: upstream => upstream.behave({ hangBeforeHeaders: true }),
  },
  {
    name: 'a head and no body',
    ...SLOW,
    calls: '2xx timeout',
    upstream: { firstByteMs: WAIT_MS },
    breakIt: upstream => upstream.behave({ hangAfterHeaders: true }),
  },
  {
    name: 'signs of life and no content',
    ...SLOW,
    calls: '2xx timeout',
    streamsOnly: true,
    upstream: { firstContentMs: WAIT_MS },
    breakIt: (upstream, dialect) => {
      const frames = [...signsOfLife(dialect), ...startFrames(dialect)]
      upstream.always(() => ({
        headers: ['content-type', FAKE_DIALECTS[dialect].streamType],
        frames: [...frames, errorFrame(dialect)],
        behaviour: { hangAfterFrames: frames.length, delayBetweenFramesMs: 20 },
      }))
    },
  },
  {
    name: 'chunks that are none',
    ...UNSOUND,
    calls: '2xx parse',
    breakIt: (upstream, dialect) =>
      upstream.always(() => ({
        raw: `HTTP/1.1 200 OK\r\ncontent-type: ${FAKE_DIALECTS[dialect].streamType}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno chunk\r\n`,
      })),
  },
  {
    name: 'a coding that nobody asked for',
    ...UNSOUND,
    calls: '2xx parse',
    breakIt: upstream => upstream.behave({ gzip: true }),
  },
]

const STATUSES: readonly Fault[] = [
  {
    name: '500 with a page of HTML',
    ...FAILED,
    breakIt: always({ status: 500, headers: ['content-type', 'text/html'], body: '<h1>It broke</h1>' }),
  },
  {
    name: 'JSON that is no error of anybody',
    ...FAILED,
    breakIt: always({ status: 500, headers: JSON_TYPE, body: '{"detail":"broken"}' }),
  },
  {
    name: '503 without a body',
    ...OVERLOADED,
    breakIt: always({ status: 503, headers: [], body: '' }),
  },
  {
    name: '529',
    ...OVERLOADED,
    breakIt: (upstream, dialect) =>
      always({
        status: 529,
        headers: [...JSON_TYPE, 'x-amzn-errortype', 'ServiceUnavailableException'],
        // Gemini's word for it; no status of its own stands for 529.
        body: JSON.stringify(FAKE_DIALECTS[dialect].errorReply(529, 'overloaded')).replace(
          'INTERNAL',
          'UNAVAILABLE',
        ),
      })(upstream, dialect),
  },
  {
    name: 'a page of HTML with status 200',
    ...FAILED,
    calls: '2xx stream',
    breakIt: always({ headers: ['content-type', 'text/html'], body: '<h1>Sign in</h1>' }),
  },
  {
    name: 'a body that is cut and called whole',
    // Half a document that is to be translated is no document; nobody can tell that it would have gone on.
    translated: { ...FAILED, calls: '2xx stream' },
    ...BROKE,
    errorKind: 'incomplete_stream',
    calls: '2xx stream',
    breakIt: upstream => upstream.behave({ cutAfterBytes: 20, cut: 'end' }),
  },
]

/** An error in the upstream's own words inside a stream of status 200. */
export function errorFrame(dialect: DialectId): Uint8Array {
  const sse = (event: string | null, data: unknown): Uint8Array =>
    Buffer.from(`${event === null ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`)
  switch (dialect) {
    case 'openai-chat':
      return sse(null, {
        error: { message: 'overloaded', type: 'server_error', param: null, code: 'overloaded' },
      })
    case 'openai-responses':
      return sse('error', {
        type: 'error',
        code: 'server_is_overloaded',
        message: 'overloaded',
        param: null,
        sequence_number: 9,
      })
    case 'anthropic-messages':
      return sse('error', { type: 'error', error: { type: 'overloaded_error', message: 'overloaded' } })
    case 'bedrock-converse':
      return eventMessage(
        [
          ':exception-type',
          'serviceUnavailableException',
          ':content-type',
          'application/json',
          ':message-type',
          'exception',
        ],
        Buffer.from('{"message":"overloaded"}'),
      )
    case 'gemini-generate':
      return sse(null, { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } })
  }
}

/** What vendors send to keep a connection open; Bedrock has nothing of the kind. */
function signsOfLife(dialect: DialectId): readonly Uint8Array[] {
  if (dialect === 'bedrock-converse') return []
  return dialect === 'anthropic-messages'
    ? [Buffer.from('event: ping\ndata: {"type":"ping"}\n\n')]
    : [Buffer.from(': ping\n\n')]
}

/** The frames before content of a stream of this dialect. */
function startFrames(dialect: DialectId): readonly Uint8Array[] {
  const turn = {
    id: 'failed',
    model: 'failed-model',
    pieces: ['never '],
    call: null,
    inputTokens: 1,
    outputTokens: 1,
    finish: 'stop',
  } as const
  const prompt = { stream: true, streamUsage: false } as Parameters<
    (typeof FAKE_DIALECTS)['openai-chat']['streamFrames']
  >[1]
  return FAKE_DIALECTS[dialect].streamFrames(turn, prompt).before
}

function inStream(
  name: string,
  frames: (dialect: DialectId) => readonly Uint8Array[],
  delayBetweenFramesMs = 0,
): Fault {
  return {
    name,
    streamsOnly: true,
    ...OVERLOADED,
    calls: '2xx stream',
    breakIt: (upstream, dialect) =>
      upstream.always(() => ({
        headers: ['content-type', FAKE_DIALECTS[dialect].streamType],
        frames: frames(dialect),
        behaviour: { delayBetweenFramesMs },
      })),
  }
}

const EVENTS: readonly Fault[] = [
  inStream('200 with an error event first', dialect => [errorFrame(dialect)]),
  inStream('200 with start frames and then an error event', dialect => [
    ...startFrames(dialect),
    errorFrame(dialect),
  ]),
  inStream(
    '200 with start frames, one by one, and then an error event',
    dialect => [...signsOfLife(dialect), ...startFrames(dialect), errorFrame(dialect)],
    20,
  ),
]

/** Everything that an upstream with a working address does. */
export const FAULTS: readonly Fault[] = [...TRANSPORT, ...STATUSES, ...LIMITS, ...EVENTS]
