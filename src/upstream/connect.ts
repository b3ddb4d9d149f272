// Opens sockets towards one origin: name resolution at every connect (so that a changed address is followed), TCP
// without Nagle's delay, TLS verified against the origin's name and resumed from the last session. Where a proxy stands
// between, it is connected to instead: an `https://` origin gets a tunnel through it and TLS inside, an `http://` origin
// is asked for by requests in absolute form.

import net, { type LookupFunction, type OnReadOpts, type Socket } from 'node:net'
import tls, { type SecureContext } from 'node:tls'
import { assert } from '../common/assert.ts'
import type { ProxyPlan, SecretText } from '../common/config/plan.ts'
import { askForTunnel, credentialsField } from './tunnel.ts'

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

/** What a socket is opened to. */
interface Place {
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** The latest TLS session, to be offered by the next connect. */
  session: Buffer | null
}

/** The proxy that one origin is reached through. */
export class ProxyPlace implements Place {
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** `host:port`, for messages. */
  readonly name: string
  readonly credentials: SecretText | null
  session: Buffer | null = null

  constructor({ secure, host, port, credentials }: ProxyPlan) {
    this.secure = secure
    this.host = host
    this.port = port
    this.name = `${host.includes(':') ? `[${host}]` : host}:${port}`
    this.credentials = credentials
  }
}

/** Where a pool connects to. */
export class Target implements Place {
  readonly origin: string
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** `host:port`, as CONNECT asks for it. */
  readonly authority: string
  /** The same for messages, with the proxy on the way. */
  readonly place: string
  /** Host, and port where it is not the scheme's own, as requests name it. */
  readonly hostName: string
  /** The same as a line of a request head. */
  readonly hostField: string
  readonly proxy: ProxyPlace | null
  /** What stands before the path in a request line: the origin, where a proxy reads the request itself. */
  readonly pathPrefix: string
  session: Buffer | null = null
  /** Connections opened, ever. */
  opened = 0

  constructor(origin: string, proxy: ProxyPlan | null = null) {
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
    this.authority = `${url.hostname}:${this.port}`
    this.hostName = url.host
    this.hostField = `host: ${url.host}\r\n`
    this.proxy = proxy === null ? null : new ProxyPlace(proxy)
    this.place =
      this.proxy === null ? this.authority : `${this.authority} through the proxy ${this.proxy.name}`
    this.pathPrefix = this.proxy === null || this.secure ? '' : `http://${url.host}`
  }

  /** After a failed connect: a session that the other side did not like must not spoil the next one too. */
  forgetSessions(): void {
    this.session = null
    if (this.proxy !== null) this.proxy.session = null
  }

  /** Field lines for a proxy that reads the requests; made per request, so that no record holds the password. */
  proxyFields(): string {
    return this.pathPrefix === '' || this.proxy === null ? '' : credentialsField(this.proxy.credentials)
  }
}

/** Whom the socket that is being opened leads to so far. */
export type Stage = 'proxy' | 'upstream'

const HTTP1_ONLY: readonly string[] = ['http/1.1']

/** Whoever wants a connection. */
export interface Opener {
  /** The socket in charge from now on. Called at once, and again when a tunnel's end takes over from its beginning. */
  take(socket: Socket, stage: Stage): void
  /** The socket can carry a request. Called once. */
  ready(): void
}

/** Builds the trust store once; every connect of a client shares it. */
export class Connector {
  private readonly options: ConnectOptions
  private context: SecureContext | null = null

  constructor(options: ConnectOptions) {
    this.options = options
  }

  /**
   * Starts a connect; errors come as the taken socket's `error` and `close` events. With `onread` the bytes go there
   * instead of into the stream, except through a tunnel, whose socket gives them as `data`.
   */
  open(
    target: Target,
    onread: OnReadOpts | null,
    opener: Opener,
    protocols: readonly string[] = HTTP1_ONLY,
  ): void {
    const { proxy } = target
    target.opened += 1
    if (proxy === null)
      opener.take(
        this.dial(target, onread, protocols, () => opener.ready()),
        'upstream',
      )
    else if (!target.secure)
      opener.take(
        this.dial(proxy, onread, HTTP1_ONLY, () => opener.ready()),
        'proxy',
      )
    else this.openTunnel(target, proxy, opener, protocols)
  }

  private openTunnel(target: Target, proxy: ProxyPlace, opener: Opener, protocols: readonly string[]): void {
    const socket = this.dial(proxy, null, HTTP1_ONLY, () =>
      askForTunnel(socket, proxy, target.authority, () => {
        const inside = this.secured(target, { socket }, protocols)
        opener.take(inside, 'upstream')
        inside.on('secureConnect', () => opener.ready())
      }),
    )
    opener.take(socket, 'proxy')
  }

  private dial(
    place: Place,
    onread: OnReadOpts | null,
    protocols: readonly string[],
    ready: () => void,
  ): Socket {
    const { lookup } = this.options
    const shared = {
      host: place.host,
      port: place.port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      ...(lookup === null ? {} : { lookup }),
      ...(onread === null ? {} : { onread }),
    }
    const socket = place.secure ? this.secured(place, shared, protocols) : net.connect(shared, ready)
    if (place.secure) socket.on('secureConnect', ready)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS)
    return socket
  }

  private secured(place: Place, how: tls.ConnectionOptions, protocols: readonly string[]): Socket {
    const { ca } = this.options
    this.context ??= tls.createSecureContext(ca === null ? {} : { ca })
    const socket = tls.connect({
      ...how,
      secureContext: this.context,
      // Over a socket that is open already, the certificate is compared with this and nothing else.
      host: place.host,
      // A name is asked for by SNI; an address may not be (RFC 6066), and is checked all the same.
      ...(net.isIP(place.host) === 0 ? { servername: place.host } : {}),
      ALPNProtocols: [...protocols],
      ...(place.session === null ? {} : { session: place.session }),
    })
    socket.on('session', session => {
      place.session = session
    })
    return socket
  }
}
