// The acceptor on the native server. Owns its app, its listen socket and the check of every header block; what
// happens inside one request is `uws-exchange.ts`.

import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Engine } from '../gateway/index.ts'
import { type Acceptor, type AcceptorOptions, bindReason, cannotListen } from './acceptor.ts'
import { HEADER_FIELDS_MAX, NATIVE_PIECE_BYTES, NATIVE_TLS_PIECE_BYTES, STALL_MS_MAX } from './bounds.ts'
import { Framing, headersTooLarge, readFraming, requestLineFault, tooManyFields } from './checks.ts'
import type { Native, NativeApp, NativeListenSocket, NativeRequest, NativeResponse } from './native.ts'
import { Sweep } from './sweep.ts'
import { readPems } from './tls-files.ts'
import { UwsExchange, type UwsHost } from './uws-exchange.ts'

/** A field takes its colon, the space behind it and a line end besides its letters. */
const FIELD_EXTRA_BYTES = 4

/** Filled by `collect` while a header block is walked; a function made per request would cost more than the walk. */
let fields: string[] = []
let fieldBytes = 0
const collect = (name: string, value: string): void => {
  fields.push(name, value)
  fieldBytes += name.length + value.length + FIELD_EXTRA_BYTES
}

const framing = new Framing()

/** Acceptors whose native side this thread has to close before it ends. */
const open = new Set<UwsAcceptor>()

function closeAll(): void {
  for (const acceptor of open) acceptor.close()
}

export class UwsAcceptor implements Acceptor, UwsHost {
  readonly kind = 'uws'
  readonly listener: string
  readonly sweep: Sweep
  readonly bodyWaitMsMax: number
  readonly replyPendingBytesMax: number
  readonly stallMsMax: number
  readonly pieceBytes: number
  /** The native side reads its files when the app is made; contexts by server name leave out clients without one. */
  readonly renewTls = null
  draining = false
  connections = 0
  private readonly native: Native
  private readonly app: NativeApp
  private readonly options: AcceptorOptions
  private readonly engine: Engine
  private socket: NativeListenSocket | null = null
  private closed = false

  constructor(native: Native, options: AcceptorOptions, engine: Engine) {
    const { bounds, tls } = options
    this.native = native
    this.options = options
    this.engine = engine
    this.listener = options.listener
    this.stallMsMax = options.stallMsMax ?? STALL_MS_MAX
    this.bodyWaitMsMax = bounds.bodyWaitMsMax
    this.replyPendingBytesMax = bounds.replyPendingBytesMax
    this.sweep = new Sweep(Math.min(bounds.bodyWaitMsMax, this.stallMsMax))
    this.pieceBytes = tls === null ? NATIVE_PIECE_BYTES : NATIVE_TLS_PIECE_BYTES
    // The native side says only that it failed, so the files are tried out first.
    if (tls !== null) readPems(tls)
    this.app =
      tls === null
        ? native.App()
        : native.SSLApp({ key_file_name: tls.keyFile, cert_file_name: tls.certificateFile })
    this.app.any('/*', (res, req) => this.accept(res, req))
    if (open.size === 0) process.on('exit', closeAll)
    open.add(this)
  }

  get port(): number {
    return this.socket === null ? 0 : this.native.us_socket_local_port(this.socket)
  }

  async listen(): Promise<void> {
    const { address, port, exclusive } = this.options
    const flags = exclusive ? this.native.LIBUS_LISTEN_EXCLUSIVE_PORT : 0
    this.app.listen(address, port, flags, socket => {
      if (socket) this.socket = socket
    })
    if (this.socket !== null) return
    const code = await whyNot(address, port)
    this.close()
    throw cannotListen(address, port, bindReason(code))
  }

  stopAccepting(): void {
    if (this.draining) return
    this.draining = true
    if (this.socket !== null) this.native.us_listen_socket_close(this.socket)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.draining = true
    open.delete(this)
    if (open.size === 0) process.off('exit', closeAll)
    this.app.close()
    this.sweep.stop()
  }

  settled(): void {
    this.connections -= 1
  }

  private accept(res: NativeResponse, req: NativeRequest): void {
    fields = []
    fieldBytes = 0
    req.forEach(collect)
    const headers = fields
    const method = req.getCaseSensitiveMethod()
    const query = req.getQuery()
    const target = query === undefined ? req.getUrl() : `${req.getUrl()}?${query}`
    const { headerBytesMax } = this.options.bounds
    let fault = requestLineFault(method, target) ?? readFraming(headers, 1, framing)
    if (fieldBytes + method.length + target.length > headerBytesMax) fault = headersTooLarge(headerBytesMax)
    else if (headers.length > 2 * HEADER_FIELDS_MAX) fault = tooManyFields(HEADER_FIELDS_MAX)
    this.connections += 1
    const exchange = new UwsExchange(this, res, method, target, headers, framing.contentLength, framing.close)
    if (fault === null) exchange.begin(this.engine)
    else exchange.refuse(this.engine, fault)
  }
}

/** The native side does not say why it could not bind; Node does, of the same address and port. */
async function whyNot(address: string, port: number): Promise<string | undefined> {
  const probe = createServer()
  try {
    probe.listen({ host: address, port, exclusive: true })
    await once(probe, 'listening')
    return undefined
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code
  } finally {
    probe.close()
  }
}
