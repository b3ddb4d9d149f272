// Carries reasoning material of one family through a client that belongs to another. Owns the envelope. The
// client keeps the envelope where it keeps its own signatures and sends it back with the next turn; no state here.

import { ByteSearch } from './bytes/byte-search.ts'
import type { DialectId } from './dialect.ts'
import type { Opaque } from './prompt.ts'

const MARK = 'gw1.'
const KINDS = { signature: 's', redacted: 'r', encrypted: 'e' } as const

/** Whose material a bare value in this dialect is. */
export const NATIVE_FAMILY: Record<DialectId, string> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
  'bedrock-converse': 'bedrock',
  'gemini-generate': 'google',
}

/** The value to show to a client of `client`: bare when it is of the client's own family, else an envelope. */
export function wrapOpaque(opaque: Opaque, client: DialectId): string {
  if (opaque.family === NATIVE_FAMILY[client]) return opaque.value
  const id = opaque.id === null ? '' : base64UrlOf(opaque.id)
  return `${MARK}${base64UrlOf(opaque.family)}.${KINDS[opaque.kind]}${id}.${base64UrlOf(opaque.value)}`
}

/** Reads what a client sent back: an envelope, or a value of the client's own family. */
export function unwrapOpaque(
  value: string,
  client: DialectId,
  kind: Opaque['kind'],
  id: string | null = null,
): Opaque {
  const native: Opaque = { family: NATIVE_FAMILY[client], kind, id, value }
  if (!value.startsWith(MARK)) return native
  const [, family, head, body, rest] = value.split('.')
  if (family === undefined || head === undefined || body === undefined || rest !== undefined) return native
  const kinds = Object.entries(KINDS).find(([, letter]) => letter === head[0])
  const familyText = textOfBase64Url(family)
  const text = textOfBase64Url(body)
  const idText = head.length > 1 ? textOfBase64Url(head.slice(1)) : ''
  if (kinds === undefined || familyText === null || text === null || idText === null) return native
  return {
    family: familyText,
    kind: kinds[0] as Opaque['kind'],
    id: head.length > 1 ? idText : null,
    value: text,
  }
}

/** `MARK` in base64, up to the last character that depends on nothing behind it. */
const MARK_BASE64 = 'Z3cxL'

/** `wrapOpaque` for members that hold base64, which clients decode and encode again. */
export function wrapOpaqueBase64(opaque: Opaque, client: DialectId): string {
  const value = wrapOpaque(opaque, client)
  return opaque.family === NATIVE_FAMILY[client] ? value : btoa(value)
}

export function unwrapOpaqueBase64(value: string, client: DialectId, kind: Opaque['kind']): Opaque {
  if (!value.startsWith(MARK_BASE64)) return unwrapOpaque(value, client, kind)
  // Clients encode in either alphabet, with padding or without.
  const plain = value.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  return unwrapOpaque(textOfBase64Url(plain) ?? value, client, kind)
}

/** True when a body of any dialect carries an envelope, which must not reach an upstream unopened. */
export function mentionsEnvelope(body: Uint8Array): boolean {
  // The marks are looked for as bytes so that bodies need not be decoded for them.
  return MARKS.in(body)
}

const MARKS = new ByteSearch(MARK, MARK_BASE64)

function base64UrlOf(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function textOfBase64Url(encoded: string): string | null {
  if (!/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) return null
  const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
