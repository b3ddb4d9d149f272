// Stage 2: the body as far as the gateway must know it. A relayed body is only looked at, never rebuilt.

import { GatewayError } from '../../common/errors.ts'
import { headerValue } from '../../common/headers.ts'
import { type RequestScan, scanRequest, TranslateError } from '../../translate/index.ts'
import type { Exchange } from '../exchange.ts'

/** Refuses what is not JSON by its own announcement, then finds the members that matter. */
export function readRequest(exchange: Exchange): RequestScan {
  checkContentType(headerValue(exchange.request.headers, 'content-type'))
  try {
    const scan = scanRequest(exchange.dialect, exchange.bytes)
    exchange.scan = scan
    exchange.record.streaming = exchange.endpoint.streaming ?? scan.stream
    exchange.record.modelAsked = exchange.pathModel ?? scan.model
    return scan
  } catch (thrown) {
    throw asGatewayFault(thrown)
  }
}

/** A TranslateError as one of ours; anything else as it is. */
export function asGatewayFault(thrown: unknown): unknown {
  if (!(thrown instanceof TranslateError)) return thrown
  const { kind, param, code } = thrown.reply
  const ours = kind === 'too_large' ? 'body-too-large' : 'bad-request'
  return new GatewayError(ours, thrown.message, { param, code, cause: thrown })
}

/**
 * JSON in any spelling of its media type. A missing type is let through; a wrong one is named, because the usual
 * cause is a forgotten header and "not JSON" would send the caller looking in the wrong place.
 */
export function checkContentType(value: string | null): void {
  if (value === null || /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(value)) return
  const found = /^[\w.+/-]{1,80}/.exec(value)?.[0] ?? 'something else'
  throw new GatewayError(
    'unsupported-media',
    `content-type must be application/json, found ${found} (with curl: -H 'content-type: application/json')`,
  )
}
