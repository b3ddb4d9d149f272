// Members of a Converse reply that a whole body and a stream have in common.

import { parsed } from '../bytes/json-look.ts'
import type { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
import { wrapOpaque } from '../opaque.ts'
import type { MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import type { Finish } from '../turn.ts'
import type { Usage } from '../usage.ts'
import {
  formatOfMime,
  REPLY_EXTRAS,
  type ReplyExtra,
  RESPONSE_PATHS,
  STOP_SEQUENCE_PATH,
  usageJson,
} from './wire.ts'

/** What an upstream of this dialect said beside the turn, to be said again. */
export class OwnExtras {
  private readonly asked: boolean
  private readonly members: Map<string, string>

  constructor(context: ReplyContext) {
    const paths = context.echo.find(member => member.name === RESPONSE_PATHS)
    const list: unknown = paths === undefined ? [] : parsed(paths.json)
    this.asked = Array.isArray(list) && list.includes(STOP_SEQUENCE_PATH)
    this.members = new Map()
  }

  add(dialect: DialectId, name: string, json: string): void {
    const known = REPLY_EXTRAS.some(candidate => candidate === name)
    if (dialect === 'bedrock-converse' && known) this.members.set(name, json)
  }

  get(name: ReplyExtra): string | null {
    return this.members.get(name) ?? null
  }

  /** The upstream's own fields, or the matched stop text where the client asked for it. */
  responseFields(finish: Finish): string | null {
    const own = this.get('additionalModelResponseFields')
    if (own !== null || !this.asked || finish.stopText === null) return own
    return `{"stop_sequence":${JSON.stringify(finish.stopText)}}`
  }
}

/** Usage and what follows it. Clients rely on `metrics`; a time that nobody told is 0. */
export function metadataMembers(out: JsonOut, usage: Usage | null, extras: OwnExtras): void {
  out.memberRaw('usage', usageJson(usage))
  out.memberRaw('metrics', extras.get('metrics') ?? '{"latencyMs":0}')
  out.memberRawIf('trace', extras.get('trace'))
  out.memberRawIf('performanceConfig', extras.get('performanceConfig'))
  out.memberRawIf('serviceTier', extras.get('serviceTier'))
}

/** The bytes of redacted reasoning, or null when the material has to go as a signature: envelopes are no base64. */
export function redactedValue(opaque: Opaque): string | null {
  const value = wrapOpaque(opaque, 'bedrock-converse')
  return opaque.kind === 'redacted' && value === opaque.value ? value : null
}

export function signatureValue(opaque: Opaque): string {
  return wrapOpaque(opaque, 'bedrock-converse')
}

/** Format of an image that a reply can show, or null. */
export function mediaFormat(media: MediaPart): string | null {
  return media.media === 'image' ? formatOfMime('image', media.mime ?? 'image/png') : null
}
