// Opens sockets towards one origin: name resolution at every connect (so that a changed address is followed), TCP
// without Nagle's delay, TLS verified against the origin's name and resumed from the last session.

import net, { type LookupFunction, type OnReadOpts, type Socket } from 'node:net'
import tls, { type SecureContext } from 'node:tls'
import { assert } from '../common/assert.ts'

/** Idle time after which the kernel asks whether the other side still lives: streams may be silent for minutes. */
const KEEP_ALIVE_PROBE_MS = 30_000

/** Of several addresses the next is tried after this. Node's own 250 ms is less than a handshake across an ocean. */
const NEXT_ADDRESS_MS = 600

export interface ConnectOptions {
  /** PEM certificates to trust instead of the built-in ones; null for the built-in ones. */
  readonly ca: string | null
  /** Name resolution; null for the system's. */
  readonly lookup: LookupFunction | null
}

/** Where a pool connects to. */
export class Target {
  readonly origin: string
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** `host:port`, for messages. */
  readonly place: string
  /** `host: …\r\n` as requests carry it. */
  readonly hostField: string
  /** The latest TLS session, to be offered by the next connect. */
  session: Buffer | null = null

  constructor(origin: string) {
    const url = URL.canParse(origin) ? new URL(origin) : null
    assert(
      url !== null && (url.protocol === 'http:' || url.protocol === 'https:'),
      'an origin is http or https',
    )
    assert(
      url.pathname === '/' && url.search === '' && url.username === '',
      'an origin has no path and no user',
    )
    this.origin = origin
    this.secure = url.protocol === 'https:'
    // Brackets belong to the URL, not to the address.
    this.host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
    this.port = url.port === '' ? (this.secure ? 443 : 80) : Number(url.port)
    this.place = `${url.hostname}:${this.port}`
    this.hostField = `host: ${url.host}\r\n`
  }
}

/** Builds the trust store once; every connect of a client shares it. */
export class Connector {
  private readonly options: ConnectOptions
  private context: SecureContext | null = null

  constructor(options: ConnectOptions) {
    this.options = options
  }

  /**
   * Starts a connect. `ready` is called once when the socket can carry a request; errors come as the socket's
   * `error` and `close` events. With `onread` the bytes go there instead of into the stream.
   */
  open(target: Target, onread: OnReadOpts | null, ready: () => void): Socket {
    const { lookup } = this.options
    const shared = {
      host: target.host,
      port: target.port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      ...(lookup === null ? {} : { lookup }),
      ...(onread === null ? {} : { onread }),
    }
    const socket = target.secure ? this.openTls(target, shared, ready) : net.connect(shared, ready)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS)
    return socket
  }

  private openTls(target: Target, shared: net.TcpNetConnectOpts, ready: () => void): Socket {
    const { ca } = this.options
    this.context ??= tls.createSecureContext(ca === null ? {} : { ca })
    const socket = tls.connect({
      ...shared,
      secureContext: this.context,
      // A name is asked for by SNI; an address may not be (RFC 6066), and is checked all the same.
      ...(net.isIP(target.host) === 0 ? { servername: target.host } : {}),
      ALPNProtocols: ['http/1.1'],
      ...(target.session === null ? {} : { session: target.session }),
    })
    socket.on('session', session => {
      target.session = session
    })
    socket.on('secureConnect', ready)
    return socket
  }
}
