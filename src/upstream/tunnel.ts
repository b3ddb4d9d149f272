// A way through an HTTP proxy: CONNECT, its answer, and nothing after it. Owns what counts as an answer; the sockets are
// the connector's. The other side of a tunnel speaks only when it is spoken to, so a byte behind the proxy's answer is
// not from there.

import type { Socket } from 'node:net'
import type { SecretText } from '../common/config/plan.ts'
import { readReplyHead } from './http1-head.ts'

/** An answer to CONNECT has a few fields; one that brings a page of its own sends it behind the head. */
const ANSWER_BYTES_MAX = 16 * 1024

const ANSWER_BEGINS = 'HTTP/1.'
const HEAD_ENDS = '\r\n\r\n'

/** What a proxy did instead of opening a way, in words that follow its name. */
export class ProxyFault extends Error {
  override readonly name = 'ProxyFault'
}

/** What a tunnel needs to know of its proxy. */
interface Doorkeeper {
  readonly credentials: SecretText | null
}

/** `proxy-authorization` and its value; empty without credentials. */
export function credentialsPair(credentials: SecretText | null): string[] {
  if (credentials === null) return []
  return ['proxy-authorization', `Basic ${Buffer.from(credentials.secret, 'utf8').toString('base64')}`]
}

/** The same as a line of a request head. */
export function credentialsField(credentials: SecretText | null): string {
  const [name, value] = credentialsPair(credentials)
  return name === undefined ? '' : `${name}: ${value}\r\n`
}

/** What a 407 means, whether it answers CONNECT or a request. */
export function refusedCredentials(credentials: SecretText | null): string {
  return `answered 407: it wants ${credentials === null ? 'credentials' : 'other credentials'}`
}

/**
 * Asks over a socket that is connected to the proxy. `opened` is called once the proxy has agreed, and the socket is then
 * the way to `authority`. Anything else destroys the socket with a {@link ProxyFault}.
 */
export function askForTunnel(
  socket: Socket,
  { credentials }: Doorkeeper,
  authority: string,
  opened: () => void,
): void {
  let answer = ''
  let from = 0
  const fail = (what: string): void => void socket.destroy(new ProxyFault(what))
  const read = (chunk: Buffer): void => {
    answer += chunk.toString('latin1')
    for (;;) {
      const end = answer.indexOf(HEAD_ENDS, from)
      if (end === -1) break
      const fault = faultOf(answer.slice(from, end), credentials)
      from = end + HEAD_ENDS.length
      if (fault === INTERIM) continue
      socket.off('data', read)
      if (fault !== null) fail(fault)
      else if (answer.length > from) fail('sent bytes behind its answer')
      else {
        // Whoever takes the socket over reads on; until then nothing may be lost.
        socket.pause()
        opened()
      }
      return
    }
    const begun = answer.slice(from, from + ANSWER_BEGINS.length)
    if (!ANSWER_BEGINS.startsWith(begun)) fail('gave an answer that is not HTTP')
    else if (answer.length > ANSWER_BYTES_MAX) fail(TOO_LARGE)
  }
  socket.on('data', read)
  socket.write(
    `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentialsField(credentials)}\r\n`,
    'latin1',
  )
}

const TOO_LARGE = `gave an answer with more than ${ANSWER_BYTES_MAX} bytes of fields`

/** A 1xx: the answer is still to come. */
const INTERIM = 'interim'

/** What is wrong with an answer, or null when it opens the way. The length it may announce means nothing (RFC 9110). */
function faultOf(block: string, credentials: SecretText | null): string | null {
  if (block.length > ANSWER_BYTES_MAX) return TOO_LARGE
  const head = readReplyHead(block)
  if (typeof head === 'string') return 'gave an answer that is not sound HTTP'
  const { status } = head
  if (status < 200) return INTERIM
  if (status < 300) return null
  return status === 407 ? refusedCredentials(credentials) : `answered ${status}`
}
