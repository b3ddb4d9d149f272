// How long a caller should wait, in the forms the vendors use. This folder has no clock: a date counts from the
// `date` field of the same reply.

import { fieldOf, type HeaderFields } from './form.ts'

/** Resets of quotas may be weeks away; who may not call for a day need not know more. */
const HINT_MS_MAX = 24 * 60 * 60 * 1000
/** Official clients of the OpenAI family ignore a hint above this and fall back to half a second. */
const OPENAI_HINT_MS_MAX = 60_000

/** A number from here on is no wait but a moment since 1970: this one was in 2001. */
const MOMENT_S_MIN = 1e9
/** And from here on it counts milliseconds: as seconds it would be far off. */
const MOMENT_MS_MIN = 1e12

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `1s`, `6m0s`, `120ms`, `34.07s`: a run of numbers with units, in milliseconds; null for anything else. */
export function durationMs(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null
  let total = 0
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(match[1]) * UNITS_MS[match[2]!]!
  }
  return bounded(total)
}

/** What the reply's header fields say, or null. */
export function hintOfFields(headers: HeaderFields): number | null {
  const exact = fieldOf(headers, 'retry-after-ms')
  if (exact !== null && /^\d+(?:\.\d+)?$/.test(exact)) return bounded(Number(exact))
  const after = fieldOf(headers, 'retry-after')
  if (after !== null) {
    if (/^\d+(?:\.\d+)?$/.test(after)) return bounded(Number(after) * 1_000)
    const wait = untilDate(after, headers)
    if (wait !== null) return wait
  }
  return exhaustedReset(headers)
}

/** `Please try again in 1.25s.` */
export function hintOfMessage(message: string): number | null {
  const match = /try again in (\d[\d.hms]*[hms])\b/i.exec(message)
  return match === null ? null : durationMs(match[1]!.toLowerCase())
}

/** The latest reset among the buckets that are empty. */
function exhaustedReset(headers: HeaderFields): number | null {
  let latest: number | null = null
  for (let at = 0; at < headers.length; at += 2) {
    const match = REMAINING.exec(headers[at]!)
    if (match === null || !/^0+(?:\.0+)?$/.test(headers[at + 1]!)) continue
    const reset = fieldOf(headers, `${match[1]}-${match[2]!.replace('remaining', 'reset')}`)
    if (reset === null) continue
    const wait = durationMs(reset) ?? untilNumber(reset, headers) ?? untilDate(reset, headers)
    if (wait !== null && wait > (latest ?? 0)) latest = wait
  }
  return latest
}

/**
 * What is left in a bucket: of OpenAI and those who follow it, of Anthropic, of Mistral, and of the draft standard. The
 * field of its reset is called alike.
 */
const REMAINING =
  /^(x-ratelimit|ratelimit|(?:x-)?ratelimitbysize|anthropic-ratelimit|anthropic-priority)-(.*remaining.*)$/

/** Some vendors write seconds from now, some a moment in seconds or milliseconds. */
function untilNumber(text: string, headers: HeaderFields): number | null {
  if (!/^\d+(?:\.\d+)?$/.test(text)) return null
  const value = Number(text)
  if (value < MOMENT_S_MIN) return bounded(value * 1_000)
  const now = Date.parse(fieldOf(headers, 'date') ?? '')
  const then = value < MOMENT_MS_MIN ? value * 1_000 : value
  return Number.isNaN(now) || then <= now ? null : bounded(then - now)
}

function untilDate(text: string, headers: HeaderFields): number | null {
  const then = Date.parse(text)
  const now = Date.parse(fieldOf(headers, 'date') ?? '')
  return Number.isNaN(then) || Number.isNaN(now) || then <= now ? null : bounded(then - now)
}

function bounded(ms: number): number | null {
  return Number.isFinite(ms) ? Math.ceil(Math.min(ms, HINT_MS_MAX)) : null
}

/** Fields that tell a client of an OpenAI dialect. */
export function openaiHintFields(retryAfterMs: number | null): string[] {
  return retryAfterMs === null ? [] : exactHintFields(Math.min(retryAfterMs, OPENAI_HINT_MS_MAX))
}

/** Seconds for everyone, rounded up, and milliseconds for the clients that look for them first. */
export function exactHintFields(retryAfterMs: number | null): string[] {
  if (retryAfterMs === null) return []
  return [...hintFields(retryAfterMs), 'retry-after-ms', String(Math.ceil(retryAfterMs))]
}

export function hintFields(retryAfterMs: number | null): string[] {
  return retryAfterMs === null ? [] : ['retry-after', String(Math.ceil(retryAfterMs / 1_000))]
}
