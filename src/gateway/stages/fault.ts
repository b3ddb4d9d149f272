// An upstream's reply with an error status: collected within a bound, then passed on as it is to a client of the
// same dialect, or re-shaped. The gateway's own credential failing is the gateway's fault: a client told 401
// would throw away its own key.

import { type HeaderList, headerValue } from '../../common/headers.ts'
import { type DialectId, type ErrorReply, readError, writeError } from '../../translate/index.ts'
import type { WholeReply } from '../replies.ts'
import type { Prepared } from './attempt.ts'

/** Error bodies are small; what is longer than this is cut and no longer passed on verbatim. */
const ERROR_BYTES_MAX = 1024 * 1024

export class UpstreamFault {
  readonly status: number
  readonly headers: HeaderList
  private readonly pieces: Uint8Array[] = []
  private bytes = 0
  private whole = true

  constructor(status: number, headers: HeaderList) {
    this.status = status
    this.headers = headers
  }

  /** A piece of the error body, lent. */
  data(chunk: Uint8Array): void {
    if (this.bytes + chunk.length > ERROR_BYTES_MAX) {
      this.whole = false
      return
    }
    this.bytes += chunk.length
    this.pieces.push(chunk.slice())
  }

  /** What the upstream said, as the neutral record. */
  read(prepared: Prepared): ErrorReply {
    return readError(prepared.dialect, this.status, this.headers, this.joined())
  }

  /** The reply for the client. */
  reply(error: ErrorReply, prepared: Prepared, client: DialectId, requestId: string): WholeReply {
    const { provider } = prepared.target
    if (isOwnCredential(error) && !provider.passthroughAuth) {
      return this.shaped(ownCredentialError(error, provider.name), client, requestId)
    }
    if (this.whole && prepared.dialect === client && this.status >= 400 && this.inForm(client)) {
      return { status: this.status, headers: [...this.headers], body: this.joined() }
    }
    return this.shaped(error, client, requestId)
  }

  /** It is what the dialect's clients find an error in; what a proxy before the upstream says often is not. */
  private inForm(client: DialectId): boolean {
    if (!isJson(this.headers)) return false
    if (client === 'bedrock-converse' && headerValue(this.headers, 'x-amzn-errortype') !== null) return true
    let body: unknown
    try {
      body = JSON.parse(Buffer.from(this.joined()).toString('utf8'))
    } catch {
      return false
    }
    const first: unknown = Array.isArray(body) ? body[0] : body
    if (typeof first !== 'object' || first === null) return false
    const found = first as { readonly error?: unknown; readonly message?: unknown }
    if (client === 'bedrock-converse') return typeof found.message === 'string'
    return typeof found.error === 'string' || (typeof found.error === 'object' && found.error !== null)
  }

  private shaped(error: ErrorReply, client: DialectId, requestId: string): WholeReply {
    const written = writeError(client, { ...error, requestId: error.requestId ?? requestId })
    return { status: written.status, headers: [...written.headers], body: written.body }
  }

  private joined(): Uint8Array {
    if (this.pieces.length === 1) return this.pieces[0]!
    const joined = new Uint8Array(this.bytes)
    let at = 0
    for (const piece of this.pieces) {
      joined.set(piece, at)
      at += piece.length
    }
    return joined
  }
}

function isOwnCredential(error: ErrorReply): boolean {
  return error.kind === 'auth' || (error.kind === 'permission' && error.status === 403)
}

function ownCredentialError(error: ErrorReply, provider: string): ErrorReply {
  return {
    kind: 'upstream',
    status: 502,
    message: `provider \`${provider}\` refused the gateway's own credential (status ${error.status}); this is for the gateway's operator to mend`,
    param: null,
    code: 'provider_credential_refused',
    retryAfterMs: null,
    from: 'gateway',
    requestId: error.requestId,
  }
}

function isJson(headers: HeaderList): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === 'content-type') return /\bjson\b/i.test(headers[at + 1]!)
  }
  return false
}
