// The catalogue of misbehaviours: defaults, and the reading of the `x-fake` request header
// (`x-fake: frames=50;frameBytes=20;delayBetweenFramesMs=20;neverEnding`).

import type { Behaviour } from './types.ts'

export const SOUND: Behaviour = {
  status: 200,
  delayBeforeHeadersMs: 0,
  delayBeforeBodyMs: 0,
  delayBetweenFramesMs: 0,
  frames: 0,
  frameBytes: 20,
  canned: false,
  cutAfterBytes: -1,
  cut: 'fin',
  resetBeforeHeaders: false,
  closeBeforeHeaders: false,
  resetAfterHeaders: false,
  garbage: false,
  garbageBody: false,
  neverEnding: false,
  hangBeforeHeaders: false,
  hangAfterHeaders: false,
  hangAfterFrames: -1,
  wrongLengthBy: 0,
  badChunk: false,
  gzip: false,
  html: false,
  dripMs: 0,
  splitBytes: 0,
  separateWrites: false,
  untilClose: false,
  connectionClose: false,
  surplusBytes: 0,
  headerBytes: 0,
  interim: 0,
  closeIdleAfterMs: -1,
}

const seen = new Map<string, Partial<Behaviour>>()

/** Headers seen by one process; a test or load run uses a handful. */
const SEEN_MAX = 1_000

/** Throws an Error whose message names the unknown key or bad value. */
export function readBehaviour(header: string): Partial<Behaviour> {
  const known = seen.get(header)
  if (known !== undefined) return known
  const result: Record<string, unknown> = {}
  for (const part of header.split(';')) {
    const [key = '', value = 'true'] = part.split('=').map(text => text.trim())
    if (key === '') continue
    if (!(key in SOUND))
      throw new Error(`x-fake knows no '${key}'; it knows ${Object.keys(SOUND).join(', ')}`)
    result[key] = typedValue(key as keyof Behaviour, value)
  }
  if (seen.size < SEEN_MAX) seen.set(header, result)
  return result
}

function typedValue(key: keyof Behaviour, value: string): unknown {
  switch (typeof SOUND[key]) {
    case 'boolean':
      return value !== 'false' && value !== '0'
    case 'number': {
      const number = Number(value)
      if (!Number.isFinite(number)) throw new Error(`x-fake: ${key} is no number`)
      return number
    }
    default:
      if (value !== 'fin' && value !== 'reset' && value !== 'end') {
        throw new Error(`x-fake: ${key} is fin, reset or end`)
      }
      return value
  }
}
