// The ways in which an upstream of the soak goes wrong. Data, and the little code that puts each on the wire.

import { eventMessage, FAKE_DIALECTS, type ScriptedReply } from '../../../test/support/fake-upstream/index.ts'
import type { DialectId } from '../../../src/translate/index.ts'

/** Dealt with equal chances. */
export const FAULTS = [
  'reset',
  'close',
  'reset-in-head',
  'hang',
  'hang-in-head',
  'limited',
  'page',
  'page-as-success',
  'empty',
  'overloaded',
  'request-fault',
  'not-http',
  'not-json',
  'bad-chunk',
  'coded',
  'early-error',
  'cut',
  'false-end',
  'silence',
  'drip',
  'interim',
  'surplus',
  'close-after',
] as const
export type FaultName = (typeof FAULTS)[number] | 'dead-key'

/** These hurt nobody: the reply arrives whole. */
export const HARMLESS: ReadonlySet<FaultName> = new Set(['drip', 'interim', 'surplus', 'close-after'])

const JSON_TYPE: readonly string[] = ['content-type', 'application/json']
const PAGE: readonly string[] = ['content-type', 'text/html']

function errorFrame(dialect: DialectId): Uint8Array {
  const event = (name: string, data: unknown): Uint8Array =>
    Buffer.from(`${name}data: ${JSON.stringify(data)}\n\n`)
  switch (dialect) {
    case 'anthropic-messages':
      return event('event: error\n', {
        type: 'error',
        error: { type: 'overloaded_error', message: 'overloaded' },
      })
    case 'gemini-generate':
      return event('', { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } })
    case 'bedrock-converse':
      return eventMessage(
        [':exception-type', 'serviceUnavailableException', ':message-type', 'exception'],
        Buffer.from('{"message":"overloaded"}'),
      )
    case 'openai-responses':
      return event('event: error\n', {
        type: 'error',
        code: 'server_is_overloaded',
        message: 'overloaded',
        param: null,
        sequence_number: 9,
      })
    default:
      return event('', {
        error: { message: 'overloaded', type: 'server_error', param: null, code: 'overloaded' },
      })
  }
}

function told(
  dialect: DialectId,
  status: number,
  message: string,
  more: readonly string[] = [],
): ScriptedReply {
  const body = JSON.stringify(FAKE_DIALECTS[dialect].errorReply(status, message))
  return { status, headers: [...JSON_TYPE, ...more], body }
}

/**
 * @param middle byte of the body after which a cut comes; never behind the content
 * @param before frames of a stream before its content; null for a whole reply
 */
export function wreck(
  dialect: DialectId,
  fault: FaultName,
  sound: ScriptedReply,
  middle: number,
  before: readonly Uint8Array[] | null,
): ScriptedReply {
  switch (fault) {
    case 'reset':
      return { behaviour: { resetBeforeHeaders: true } }
    case 'close':
      return { behaviour: { closeBeforeHeaders: true } }
    case 'reset-in-head':
      return { ...sound, behaviour: { resetAfterHeaders: true } }
    case 'hang':
      return { behaviour: { hangBeforeHeaders: true } }
    case 'hang-in-head':
      return { ...sound, behaviour: { hangAfterHeaders: true } }
    case 'limited':
      return told(dialect, 429, 'slow down', ['retry-after-ms', '20'])
    case 'dead-key':
      return told(dialect, 401, 'no such key')
    case 'page':
      return { status: 500, headers: PAGE, body: '<h1>broken</h1>' }
    case 'page-as-success':
      return { headers: PAGE, body: '<h1>Sign in</h1>' }
    case 'empty':
      return { status: 503, headers: [], body: '' }
    case 'overloaded':
      return told(dialect, 529, 'overloaded')
    case 'request-fault':
      return told(dialect, 400, 'something about the request')
    case 'not-http':
      return { behaviour: { garbage: true } }
    case 'not-json':
      return { ...sound, behaviour: { garbageBody: true } }
    case 'bad-chunk':
      return {
        raw: `HTTP/1.1 200 OK\r\ncontent-type: ${sound.headers![1]}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno chunk\r\n`,
      }
    case 'coded':
      return { ...sound, behaviour: { gzip: true } }
    case 'early-error':
      if (before === null) return { status: 500, headers: JSON_TYPE, body: '{}' }
      return { headers: sound.headers!, frames: [...before, errorFrame(dialect)] }
    case 'cut':
      return { ...sound, behaviour: { cutAfterBytes: middle, cut: 'reset' } }
    case 'false-end':
      return { ...sound, behaviour: { cutAfterBytes: middle, cut: 'end' } }
    case 'silence':
      if (before === null) return { behaviour: { hangBeforeHeaders: true } }
      return { ...sound, behaviour: { hangAfterFrames: before.length + 2 } }
    case 'drip':
      return { ...sound, behaviour: { splitBytes: 97 } }
    case 'interim':
      return { ...sound, behaviour: { interim: 2 } }
    case 'surplus':
      return { ...sound, behaviour: { surplusBytes: 20 } }
    case 'close-after':
      return { ...sound, behaviour: { closeIdleAfterMs: 0 } }
  }
}
