// What an acceptor is: a socket server that turns bytes into `Engine` calls. Two exist, behind one contract and
// one suite of tests.

import type { ServerPlan, TlsPlan } from '../common/config/index.ts'

export type AcceptorKind = 'uws' | 'node'

/** The part of the server plan an acceptor obeys; `plan.server` fits. */
export type AcceptorBounds = Pick<
  ServerPlan,
  'headerBytesMax' | 'headersWaitMsMax' | 'bodyWaitMsMax' | 'idleMsMax' | 'replyPendingBytesMax'
>

export interface AcceptorOptions {
  /** `auto` takes `uws` where it loads, else `node`. */
  readonly kind: AcceptorKind | 'auto'
  /** Name of the listener in the plan; handed to the engine with every request. */
  readonly listener: string
  readonly address: string
  /** 0 lets the system choose; see `Acceptor.port`. */
  readonly port: number
  readonly tls: TlsPlan | null
  readonly bounds: AcceptorBounds
  /** False: other threads may listen on the same port (see `portSharing`) and the kernel spreads connections. */
  readonly exclusive: boolean
  /** How long a client may take no byte of a reply that waits for it; `STALL_MS_MAX` when absent. */
  readonly stallMsMax?: number
}

export interface Acceptor {
  readonly kind: AcceptorKind
  /** The port in use; 0 before `listen`. */
  readonly port: number
  /** Open connections (`node`), or requests in progress (`uws`, which does not tell of idle connections). */
  readonly connections: number
  /** Fails with a message that names the address and the port. */
  listen(): Promise<void>
  /**
   * Takes no new connections; requests in progress go on. Kept connections close after their reply, which says
   * `connection: close`; idle ones close now (`node`) or within about 12 s (`uws`).
   */
  stopAccepting(): void
  /**
   * Cuts every connection; sinks of running requests are told `gone`. A thread with a `uws` acceptor must not end
   * before: the acceptor sees to it when the thread ends by itself or by an error, nobody can when it is terminated.
   */
  close(): void
  /**
   * Reads another certificate and returns the step that puts it to use, for new connections. Null where the acceptor
   * must be opened anew for that, and for one without TLS.
   */
  readonly renewTls: ((tls: TlsPlan) => () => void) | null
}

/** What a kind of acceptor can and cannot do; the contract suite holds each to its word. */
export interface AcceptorTraits {
  /** HTTP/1.0 requests are answered; otherwise their connection closes. */
  readonly http10: boolean
  /** A header block that breaks the grammar is answered; otherwise its connection only closes, within about 12 s. */
  readonly answersMalformedHeads: boolean
  /** Requests sent ahead of replies are served in order; otherwise only ahead of replies that come at once. */
  readonly pipelining: boolean
  /** Every framing error in a chunked body is seen; otherwise its connection serves nothing after it. */
  readonly strictChunks: boolean
  /** `headersWaitMsMax` and `idleMsMax` are obeyed; otherwise such connections close after about 12 s. */
  readonly ownHeadTimeouts: boolean
  /** Longest header block that may arrive in several pieces; null when `headerBytesMax` is the only bound. */
  readonly splitHeadBytesMax: number | null
}

export const ACCEPTOR_TRAITS: Readonly<Record<AcceptorKind, AcceptorTraits>> = {
  node: {
    http10: true,
    answersMalformedHeads: true,
    pipelining: true,
    strictChunks: true,
    ownHeadTimeouts: true,
    splitHeadBytesMax: null,
  },
  uws: {
    http10: false,
    answersMalformedHeads: false,
    pipelining: false,
    strictChunks: false,
    ownHeadTimeouts: false,
    splitHeadBytesMax: 4_096,
  },
}

/** The message every acceptor fails with when it cannot bind. */
export function cannotListen(address: string, port: number, reason: string): Error {
  return new Error(`cannot listen on ${address} port ${port}: ${reason}`)
}

/** What the codes of a failed bind mean, in words. */
export function bindReason(code: string | undefined): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken (EADDRINUSE)'
    case 'EACCES':
      return 'no permission for this port (EACCES)'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)'
    case 'ENOTFOUND':
      return 'no such host name (ENOTFOUND)'
    default:
      return code ?? 'the system gave no reason'
  }
}
