// A body that goes to its upstream as it comes. Owns the bytes between client and upstream: the start that is held until
// it is known where they go, and afterwards no more than what one read brought. Back-pressure is passed on: while the
// upstream does not take bytes, the client's socket is not read.

import { GatewayError } from '../../common/errors.ts'
import { headerValue } from '../../common/headers.ts'
import type { BodySink, BodySource } from '../../upstream/index.ts'
import { isIdentity } from '../body-encoding.ts'
import type { ClientRequest } from '../edge.ts'
import type { Endpoint } from '../endpoints.ts'
import type { Exchange, Upload } from '../exchange.ts'
import { LateField } from '../late-field.ts'
import { FieldLook, formBoundary } from '../multipart.ts'
import { type FormModel, forwardUpload } from './forward.ts'

/** How the body of a request is taken: null collects it. */
export function uploadOf(
  endpoint: Endpoint,
  request: ClientRequest,
): ((exchange: Exchange) => Upload) | null {
  const { forward } = endpoint
  if (forward === null || forward.body === 'json' || request.method !== 'POST') return null
  const boundary = formBoundary(headerValue(request.headers, 'content-type'))
  if (boundary === null) {
    if (forward.body === 'either') return null
    return () => new RefusedUpload()
  }
  if (!isIdentity(headerValue(request.headers, 'content-encoding'))) return () => new RefusedUpload()
  const model = forward.routedBy === 'model'
  return exchange => new FormUpload(exchange, boundary, model)
}

/** What cannot be forwarded is refused with its first byte. */
class RefusedUpload implements Upload {
  readonly given = false

  take(): boolean {
    throw new GatewayError(
      'unsupported-media',
      'the body must be multipart/form-data with a boundary, and without a content-encoding',
    )
  }

  end(): void {
    this.take()
  }
}

class FormUpload implements Upload, BodySource {
  given = false
  /** Known when the model's name is, because another name has another length. */
  bytes: number | null
  private readonly exchange: Exchange
  private readonly boundary: string
  private look: FieldLook | null
  /** Exchanges a name that comes behind the file. */
  private late: LateField | null = null
  private sink: BodySink | null = null
  /** Bytes that no upstream has taken yet. */
  private pieces: Uint8Array[] = []
  private begun = false
  private renamed = false
  private ended = false

  constructor(exchange: Exchange, boundary: string, hasModel: boolean) {
    this.exchange = exchange
    this.boundary = boundary
    this.look = hasModel ? new FieldLook(MODEL, boundary) : null
    this.bytes = exchange.request.contentLength
  }

  // ── from the client ─────────────────────────────────────────────────────────────────────────────────────

  take(bytes: Uint8Array): boolean {
    if (this.look !== null) return this.lookInto(bytes, this.look)
    if (!this.begun) this.begin(null)
    return this.pass(bytes)
  }

  end(): void {
    this.ended = true
    if (this.look !== null) this.found(this.look, null)
    else if (!this.begun) this.begin(null)
    for (const piece of this.late?.end() ?? []) this.give(piece)
    if (this.sink !== null && this.pieces.length === 0) this.sink.end()
  }

  private lookInto(bytes: Uint8Array, look: FieldLook): boolean {
    const taken = look.push(bytes)
    const rest = bytes.subarray(taken)
    const result = look.look()
    if (result === 'more') return true
    if (typeof result === 'object') this.found(look, { ...result, late: false })
    else this.found(look, result === 'beyond' ? LATE : null)
    return rest.length === 0 ? this.pieces.length === 0 : this.pass(rest)
  }

  /** It is known where the body goes, or that it cannot be known. */
  private found(look: FieldLook, form: FormModel | null): void {
    this.look = null
    this.pieces.push(look.held)
    this.begin(form)
  }

  private begin(form: FormModel | null): void {
    this.begun = true
    forwardUpload(this.exchange, this, form)
  }

  private pass(bytes: Uint8Array): boolean {
    if (this.late === null) return this.give(bytes)
    let goOn = true
    for (const piece of this.late.push(bytes)) goOn = this.give(piece) && goOn
    return goOn
  }

  private give(bytes: Uint8Array): boolean {
    if (this.sink === null || this.pieces.length > 0) {
      this.pieces.push(bytes)
      return false
    }
    this.given = true
    return this.sink.write(bytes)
  }

  // ── towards the upstream ────────────────────────────────────────────────────────────────────────────────

  /** Another name for the model, in the bytes that are still held. */
  rename(form: FormModel, model: string): void {
    const [held] = this.pieces
    // A second try finds the name exchanged already.
    if (this.renamed || held === undefined || form.late || form.value === model) return
    this.renamed = true
    const name = Buffer.from(model, 'utf8')
    this.pieces.splice(0, 1, held.subarray(0, form.from), name, held.subarray(form.to))
    if (this.bytes !== null) this.bytes += name.length - (form.to - form.from)
  }

  /** The same for a name that has not come yet; before anything was given. */
  renameLate(exchangeFor: (value: string) => string): void {
    if (this.late !== null) return
    const late = new LateField(MODEL, this.boundary, this.bytes !== null, exchangeFor)
    this.late = late
    this.pieces = this.pieces.flatMap(piece => late.push(piece))
  }

  ready(sink: BodySink): void {
    this.sink = sink
    while (this.pieces.length > 0) {
      this.given = true
      if (!sink.write(this.pieces.shift()!)) return
    }
    if (this.ended) sink.end()
    else this.exchange.reply.resumeBody()
  }
}

const MODEL = 'model'

const LATE: FormModel = { value: '', from: 0, to: 0, late: true }
