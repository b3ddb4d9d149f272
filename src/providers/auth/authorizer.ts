// Credentials that do not stand in the plan as they are sent: tokens, signatures, keys in files. Owns one cache per
// provider, for the life of a shard, so that a reload asks nobody anew. Providers with plain keys never come here.

import { createHash } from 'node:crypto'
import type { AuthPlan, ProviderPlan } from '../../common/config/plan.ts'
import { GatewayError } from '../../common/errors.ts'
import { type HeaderList, headerValue } from '../../common/headers.ts'
import type { DialectId } from '../../translate/index.ts'
import { keyField } from '../credentials.ts'
import { awsSigner, type Signer } from './aws.ts'
import { chatgptToken } from './chatgpt.ts'
import { entraToken } from './entra.ts'
import { googleToken } from './google.ts'
import { managedIdentityToken } from './managed-identity.ts'
import { KeyFiles } from './key-files.ts'
import { type Token, TokenCache } from './token-cache.ts'
import { type AuthTools, authFailure } from './tools.ts'

/** The call as it is about to be sent. */
export interface OutgoingCall {
  readonly origin: string
  readonly method: string
  readonly path: string
  readonly headers: HeaderList
  readonly body: Uint8Array | null
}

/** Providers come from the configuration; what old ones left is forgotten beyond this. */
const KEPT_MAX = 1_024

export class Authorizer {
  private readonly tools: AuthTools
  private readonly tokens = new Map<string, TokenCache>()
  private readonly signers = new Map<string, Promise<Signer>>()
  private readonly keyFiles: KeyFiles

  constructor(tools: AuthTools) {
    this.tools = tools
    this.keyFiles = new KeyFiles(tools.clock)
  }

  /**
   * Fields to replace those of the call, or null when it may go as it is. `key` is the key of this try. Rejects with
   * `no-credential`, whose message says who and why and holds no secret.
   */
  authorize(
    provider: ProviderPlan,
    dialect: DialectId,
    call: OutgoingCall,
    key: string | null,
  ): readonly string[] | null | Promise<readonly string[]> {
    const { auth } = provider
    if (key !== null) return this.keyFromFile(provider, dialect, key)
    if (auth === undefined || provider.passthroughAuth || ownAuthorization(provider)) return null
    if (auth.type === 'aws') return this.sign(provider, auth, call)
    const token = this.tokenOf(provider, auth).get()
    return token instanceof Promise ? token.then(fieldsOf, unexpected(provider)) : token.fields
  }

  /** An upstream answered that the credential is no good. */
  refused(provider: ProviderPlan): void {
    if (provider.auth !== undefined) this.tokens.get(identityOf(provider, provider.auth))?.refused()
  }

  private keyFromFile(
    provider: ProviderPlan,
    dialect: DialectId,
    key: string,
  ): readonly string[] | null | Promise<readonly string[]> {
    if (provider.keyFiles === undefined) return null
    const file = provider.keyFiles[provider.accessKeys.findIndex(({ secret }) => secret === key)]
    if (file === undefined || file === null || ownAuthorization(provider)) return null
    const now = this.keyFiles.keyIn(file, key)
    if (now instanceof Promise) return now.then(read => keyField(provider.provider, dialect, read))
    return now === key ? null : keyField(provider.provider, dialect, now)
  }

  private tokenOf(provider: ProviderPlan, auth: Exclude<AuthPlan, { type: 'aws' }>): TokenCache {
    const identity = identityOf(provider, auth)
    let cache = this.tokens.get(identity)
    if (cache === undefined) {
      if (this.tokens.size >= KEPT_MAX) this.tokens.clear()
      const { name } = provider
      cache = new TokenCache(this.tools.clock, () => obtain(name, auth, this.tools))
      this.tokens.set(identity, cache)
    }
    return cache
  }

  private async sign(
    provider: ProviderPlan,
    auth: Extract<AuthPlan, { type: 'aws' }>,
    call: OutgoingCall,
  ): Promise<readonly string[]> {
    const identity = identityOf(provider, auth)
    let signer = this.signers.get(identity)
    if (signer === undefined) {
      if (this.signers.size >= KEPT_MAX) this.signers.clear()
      signer = awsSigner(provider.name, auth, this.tools)
      this.signers.set(identity, signer)
      // A failure is no signer: the next call tries again.
      signer.catch(() => this.signers.delete(identity))
    }
    try {
      return await (await signer)({
        method: call.method,
        origin: call.origin,
        path: call.path,
        host: headerValue(call.headers, 'host'),
        contentType: headerValue(call.headers, 'content-type'),
        fields: awsFields(call.headers),
        body: call.body,
      })
    } catch (thrown) {
      return unexpected(provider)(thrown)
    }
  }
}

const identities = new WeakMap<AuthPlan, string>()

/** The same identity has the same token, whatever models its entries name, also after a reload. */
function identityOf(provider: ProviderPlan, auth: AuthPlan): string {
  let identity = identities.get(auth)
  if (identity === undefined) {
    const text = JSON.stringify([provider.provider, auth], function (this: unknown, key, value: unknown) {
      // Secrets print themselves as stars; what they stand for makes the identity.
      const raw = (this as Record<string, unknown>)[key]
      return isSecret(raw) ? raw.secret : value
    })
    identity = createHash('sha256').update(text).digest('base64')
    identities.set(auth, identity)
  }
  return identity
}

function isSecret(value: unknown): value is { secret: string } {
  return typeof value === 'object' && value !== null && 'secret' in value
}

function obtain(
  provider: string,
  auth: Exclude<AuthPlan, { type: 'aws' }>,
  tools: AuthTools,
): Promise<Token> {
  switch (auth.type) {
    case 'google':
      return googleToken(provider, auth, tools)
    case 'entra':
      return entraToken(provider, auth, tools)
    case 'managed_identity':
      return managedIdentityToken(provider, auth, tools)
    case 'chatgpt':
      return chatgptToken(provider, auth, tools)
  }
}

/** A configured `authorization` is the operator's word. */
function ownAuthorization(provider: ProviderPlan): boolean {
  return headerValue(provider.headers, 'authorization') !== null
}

/** AWS refuses calls with fields of its own that are not signed. */
function awsFields(headers: HeaderList): readonly string[] {
  const own: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.startsWith('x-amz')) own.push(headers[at]!, headers[at + 1]!)
  }
  return own
}

function fieldsOf(token: Token): readonly string[] {
  return token.fields
}

/** Whatever went wrong, the caller learns who could not be authorised, and not more. */
function unexpected(provider: ProviderPlan): (thrown: unknown) => never {
  return thrown => {
    if (thrown instanceof GatewayError && thrown.kind === 'no-credential') throw thrown
    throw authFailure(provider.name, 'its credentials could not be obtained', thrown)
  }
}
