// The acceptor on node:http. Owns the server, its connections, and the answers to what Node cannot parse; what
// happens inside one request is `node-exchange.ts`. One request of a connection is served at a time; requests sent
// ahead wait their turn. A client that ends its sending side has left.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsPlan } from '../common/config/index.ts'
import type { GatewayError } from '../common/errors.ts'
import type { Engine } from '../gateway/index.ts'
import { type Acceptor, type AcceptorOptions, bindReason, cannotListen } from './acceptor.ts'
import { HEADER_FIELDS_MAX, LINGER_MS_MAX, PIPELINE_MAX, STALL_MS_MAX } from './bounds.ts'
import {
  Framing,
  headersTooLarge,
  headersTooSlow,
  malformed,
  readFraming,
  requestLineFault,
  tooManyFields,
} from './checks.ts'
import { NodeExchange, type NodeHost, type NodeLine } from './node-exchange.ts'
import { portSharing } from './port-sharing.ts'
import { fieldLines, statusLine } from './reply-head.ts'
import { Sweep } from './sweep.ts'
import { readPems } from './tls-files.ts'

export class NodeAcceptor implements Acceptor, NodeHost {
  readonly kind = 'node'
  readonly listener: string
  readonly sweep: Sweep
  readonly bodyWaitMsMax: number
  readonly replyPendingBytesMax: number
  readonly stallMsMax: number
  draining = false
  port = 0
  readonly engine: Engine
  readonly renewTls: Acceptor['renewTls']
  private readonly options: AcceptorOptions
  private readonly server: Server
  private readonly open: Map<Socket, NodeConnection> = new Map()

  constructor(options: AcceptorOptions, engine: Engine) {
    const { bounds, tls } = options
    this.options = options
    this.engine = engine
    this.listener = options.listener
    this.stallMsMax = options.stallMsMax ?? STALL_MS_MAX
    this.bodyWaitMsMax = bounds.bodyWaitMsMax
    this.replyPendingBytesMax = bounds.replyPendingBytesMax
    this.sweep = new Sweep(Math.min(bounds.bodyWaitMsMax, this.stallMsMax, bounds.headersWaitMsMax))
    const serverOptions = {
      insecureHTTPParser: false,
      // Our own check answers in the dialect of the path.
      requireHostHeader: false,
      maxHeaderSize: bounds.headerBytesMax,
      headersTimeout: bounds.headersWaitMsMax,
      // Bodies are watched piece by piece; a long one may take its time.
      requestTimeout: 0,
      keepAliveTimeout: bounds.idleMsMax,
      connectionsCheckingInterval: this.sweep.everyMs,
      noDelay: true,
    }
    if (tls === null) {
      this.server = createServer(serverOptions)
      this.renewTls = null
    } else {
      const server = createTlsServer({
        ...serverOptions,
        ...readPems(tls),
        handshakeTimeout: bounds.headersWaitMsMax,
      })
      this.server = server
      this.renewTls = next => renewal(server, next)
    }
    // Fields beyond Node's own bound would be dropped in silence; ours is checked.
    this.server.maxHeadersCount = 0
    this.server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => this.opened(socket))
    this.server.on('request', (req, res) => this.requested(req, res))
    this.server.on('checkContinue', (req, res) => this.requested(req, res))
    this.server.on('checkExpectation', (req, res) => this.requested(req, res))
    this.server.on('clientError', (error: ParseError, socket: Socket) => this.unreadable(error, socket))
    this.server.on('connect', (_req, socket: Socket) => this.refuseRaw(socket, null, malformed(NO_PROXY)))
  }

  get connections(): number {
    return this.open.size
  }

  listen(): Promise<void> {
    const { address, port, exclusive } = this.options
    return new Promise((done, failed) => {
      const fail = (error: NodeJS.ErrnoException): void =>
        failed(cannotListen(address, port, bindReason(error.code)))
      this.server.once('error', fail)
      const shared = !exclusive && portSharing('node')
      const where: object = { host: address, port, exclusive: true, ...(shared ? { reusePort: true } : {}) }
      this.server.listen(where, () => {
        this.server.off('error', fail)
        this.port = (this.server.address() as AddressInfo).port
        done()
      })
    })
  }

  stopAccepting(): void {
    if (this.draining) return
    this.draining = true
    this.server.close()
  }

  close(): void {
    this.stopAccepting()
    for (const connection of [...this.open.values()]) connection.left()
    this.sweep.stop()
  }

  private opened(socket: Socket): void {
    const connection = new NodeConnection(this, socket)
    this.open.set(socket, connection)
    socket.once('end', () => connection.left())
    socket.once('close', () => {
      this.open.delete(socket)
      connection.left()
    })
  }

  private requested(req: IncomingMessage, res: ServerResponse): void {
    this.open.get(req.socket)?.requested(req, res)
  }

  private unreadable(error: ParseError, socket: Socket): void {
    const connection = this.open.get(socket)
    const fault = this.faultOf(error, socket)
    if (connection === undefined || fault === null || !socket.writable) socket.destroy()
    else if (connection.current !== null) connection.unreadable(fault)
    else if (!connection.doomed) this.refuseRaw(socket, targetOf(error), fault)
  }

  private faultOf(error: ParseError, socket: Socket): GatewayError | null {
    const { headerBytesMax, headersWaitMsMax } = this.options.bounds
    switch (error.code) {
      case 'HPE_HEADER_OVERFLOW':
        return headersTooLarge(headerBytesMax)
      case 'ERR_HTTP_REQUEST_TIMEOUT':
        // Whoever has said nothing is idle, not slow.
        return socket.bytesRead === 0 ? null : headersTooSlow(headersWaitMsMax)
      case 'HPE_INVALID_EOF_STATE':
        return null
      default:
        return error.code?.startsWith('HPE_') ? malformed(REASONS[error.code] ?? NOT_HTTP) : null
    }
  }

  /** Answers on a connection where Node has no reply object to answer with, and closes it. */
  private refuseRaw(socket: Socket, target: string | null, error: GatewayError): void {
    const connection = this.open.get(socket)
    if (connection !== undefined) connection.doomed = true
    const { status, headers, body } = this.engine.refuse(target, error)
    const fields = `${fieldLines(headers)}\r\nconnection: close\r\ncontent-length: ${body.length}`
    socket.on('error', () => socket.destroy())
    socket.write(Buffer.from(`HTTP/1.1 ${statusLine(status)}${fields}\r\n\r\n`, 'latin1'))
    socket.end(body)
    // Reading goes on for a while, so that the client reads the reply and meets no reset.
    socket.setTimeout(LINGER_MS_MAX, () => socket.destroy())
  }
}

function renewal(server: TlsServer, tls: TlsPlan): () => void {
  const pems = readPems(tls)
  return () => server.setSecureContext(pems)
}

interface ParseError extends NodeJS.ErrnoException {
  /** The bytes of the read in which the parser gave up. */
  readonly rawPacket?: Buffer
}

const NO_PROXY = 'this is no proxy: CONNECT is not served'
const NOT_HTTP = 'the bytes are not an HTTP/1.1 request'

/** What the parser's codes mean for whoever sent the request. */
const REASONS: Readonly<Record<string, string>> = {
  HPE_INVALID_CHUNK_SIZE: 'a chunk size is not a hexadecimal number',
  HPE_INVALID_CONTENT_LENGTH: 'Content-Length is not a number',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'there is more than one Content-Length, or one beside a Transfer-Encoding',
  HPE_INVALID_TRANSFER_ENCODING: 'the only Transfer-Encoding understood is chunked',
  HPE_INVALID_HEADER_TOKEN: 'there is a character in the header block that is not allowed there',
  HPE_INVALID_METHOD: 'the method is not known',
  HPE_INVALID_URL: 'the request target has a character that is not allowed there',
  HPE_INVALID_VERSION: 'the version is neither HTTP/1.0 nor HTTP/1.1',
  HPE_CR_EXPECTED: 'a line ends in a bare LF',
  HPE_LF_EXPECTED: 'there is a bare CR',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'the chunk extensions are too long',
  HPE_PAUSED_H2_UPGRADE: 'HTTP/2 is not spoken on this port',
}

/** The path of a request that could not be parsed, as far as the bytes show it; it chooses the dialect of the reply. */
function targetOf(error: ParseError): string | null {
  const start = error.rawPacket?.toString('latin1', 0, TARGET_LOOK_BYTES) ?? ''
  return /^[A-Z]+ (\/[\x21-\x7e]*)/.exec(start)?.[1] ?? null
}

/** Paths of APIs are short; a longer one is cut, which leaves its beginning. */
const TARGET_LOOK_BYTES = 1_024

/** One connection: which request is being served, and which wait behind it. */
class NodeConnection implements NodeLine {
  current: NodeExchange | null = null
  doomed = false
  private readonly host: NodeAcceptor
  private readonly socket: Socket
  private readonly waiting: (readonly [IncomingMessage, ServerResponse])[] = []

  constructor(host: NodeAcceptor, socket: Socket) {
    this.host = host
    this.socket = socket
  }

  requested(req: IncomingMessage, res: ServerResponse): void {
    if (this.doomed) return
    if (this.current === null) this.serve(req, res)
    else if (this.waiting.length < PIPELINE_MAX) this.waiting.push([req, res])
    else this.doom()
  }

  /** The parser gave up while a request is being served. */
  unreadable(fault: GatewayError): void {
    this.doom()
    if (this.current?.readingBody === true) this.current.bodyError(fault)
  }

  over(): void {
    if (this.current === null) return
    this.current = null
    if (this.doomed) {
      this.socket.destroySoon()
      return
    }
    const next = this.waiting.shift()
    if (next !== undefined) this.serve(next[0], next[1])
    // A reply whose head left before the draining began did not say that the connection closes.
    else if (this.host.draining) this.socket.destroySoon()
  }

  /** The client ended its sending side, or the connection is closed. */
  left(): void {
    this.doom()
    this.current?.left()
    this.socket.destroy()
  }

  private doom(): void {
    this.doomed = true
    this.waiting.length = 0
  }

  private serve(req: IncomingMessage, res: ServerResponse): void {
    const framing = new Framing()
    const headers = headersOf(req.rawHeaders)
    // The parser takes a line without a version for HTTP/0.9.
    let fault =
      (req.httpVersionMajor === 1 ? null : malformed(REASONS['HPE_INVALID_VERSION']!)) ??
      requestLineFault(req.method ?? '', req.url ?? '') ??
      readFraming(headers, req.httpVersionMinor === 0 ? 0 : 1, framing)
    if (headers.length > 2 * HEADER_FIELDS_MAX) fault = tooManyFields(HEADER_FIELDS_MAX)
    if (fault !== null) this.doom()
    const exchange = new NodeExchange(this.host, this, req, res, headers, framing)
    this.current = exchange
    if (fault === null) exchange.begin(this.host.engine)
    else exchange.refuse(this.host.engine, fault)
  }
}

/** Names in lower case; values as text, which Node hands over as one character per byte. */
function headersOf(raw: readonly string[]): string[] {
  const out: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const value = raw[at + 1]!
    out.push(
      raw[at]!.toLowerCase(),
      /[^\0-\x7f]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value,
    )
  }
  return out
}
