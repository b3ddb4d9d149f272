// The admin listener: health, metrics, the plan in use and the ones before it, what dialects can carry; and on request
// another plan. Reading is free for whoever reaches the address; anything else needs the token. Owns its own socket and
// bounds; everything it shows or does is asked of its source when it is asked.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { capabilitiesText } from './capabilities.ts'
import { admitted } from './token.ts'

export interface AdminHealth {
  /** False only when nothing but a new process helps. */
  readonly alive: boolean
  /** Traffic is welcome. */
  readonly ready: boolean
  /** Why not, in words; empty when all is well. */
  readonly reasons: readonly string[]
  /** State of the configuration: a wrong file does not make the gateway unready. Null before there is any. */
  readonly config: unknown
  /** Upstreams and keys that are not called just now, in words; they make nothing unready. */
  readonly upstreams?: readonly string[]
}

/** What came of a wish to change the configuration. */
export interface ChangeAnswer {
  /** `refused`: it is wrong. `failed`: it could not be used. `unknown`: what was asked for does not exist. */
  readonly result: 'used' | 'unchanged' | 'refused' | 'failed' | 'unknown'
  readonly document: unknown
}

/** What the listener shows, in its own words. */
export interface AdminSource {
  health(): AdminHealth
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** The plan in use, secrets masked, with its hash. */
  config(): unknown
  /** Attempts to use another plan, newest first; bounded. */
  history(): unknown
  reload(): Promise<ChangeAnswer>
  /** `hash` names an earlier plan, or is null for the one before. */
  rollback(hash: string | null): Promise<ChangeAnswer>
}

export interface AdminOptions {
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Asked at every request, because it may change. */
  readonly token: () => string | null
  readonly source: AdminSource
}

export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

/** A handful of scrapers and people. */
const CONNECTIONS_MAX = 64
const HEADER_BYTES_MAX = 8 * 1024
/** Requests are one small packet; whoever takes longer is no scraper. */
const REQUEST_MS_MAX = 5_000
/** Longer than a usual scrape interval would hold connections for nothing. */
const KEEP_ALIVE_MS = 5_000
const SWEEP_MS = 1_000

const PATHS = ['/healthz', '/readyz', '/metrics', '/config', '/config/history', '/capabilities'] as const
const ACTIONS = ['/config/reload', '/config/rollback'] as const

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

/** Listens; rejects with a message that names the address and the port. */
export function openAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: SWEEP_MS,
    },
    (request, response) => void serve(request, response, options),
  )
  server.maxConnections = CONNECTIONS_MAX
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(options, error)))
    server.listen(options.port, options.address, () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      const { port } = server.address() as AddressInfo
      resolve({ port, close: () => close(server) })
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise(done => {
    server.close(() => done())
    server.closeAllConnections()
  })
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminOptions,
): Promise<void> {
  let answer: Answer
  try {
    answer = await answerTo(request, options)
  } catch {
    answer = json(500, { error: 'the gateway met an unexpected condition' })
  }
  const { status, type, text, headers } = answer
  // A body is never read: the connection that carries one is not worth keeping.
  const bodied =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(bodied ? { connection: 'close' } : {}),
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

async function answerTo(request: IncomingMessage, options: AdminOptions): Promise<Answer> {
  const { token, source } = options
  const path = (request.url ?? '/').split('?')[0]!
  const reading = request.method === 'GET' || request.method === 'HEAD'
  if (!reading && !admitted(request.headers.authorization, token())) {
    const error = 'anything but GET needs the admin token: authorization: Bearer <token>'
    return json(401, { error }, { 'www-authenticate': 'Bearer' })
  }
  if (ACTIONS.some(one => one === path)) {
    if (request.method !== 'POST') return json(405, { error: 'use POST' }, { allow: 'POST' })
    return changeAnswer(await act(path, request.url ?? '/', source))
  }
  const known = path === '/stats' || PATHS.some(one => one === path)
  const there = [...PATHS, ...ACTIONS].join(', ')
  if (!known) return json(404, { error: `nothing is served at this path; there is ${there}` })
  if (!reading) return json(405, { error: 'use GET' }, { allow: 'GET, HEAD' })
  switch (path) {
    case '/healthz':
      return healthAnswer(source.health(), 'alive')
    case '/readyz':
      return healthAnswer(source.health(), 'ready')
    case '/config':
      return json(200, source.config())
    case '/config/history':
      return json(200, source.history())
    case '/capabilities':
      return { status: 200, type: 'application/json', text: capabilitiesText(), headers: {} }
    default: {
      // `/stats?format=prometheus` is where dashboards of the reference look.
      const { contentType, text } = await source.metrics()
      return { status: 200, type: contentType, text, headers: {} }
    }
  }
}

function healthAnswer(health: AdminHealth, asked: 'alive' | 'ready'): Answer {
  const { reasons, config, upstreams = [] } = health
  const status = health[asked] ? 'ok' : `not ${asked}`
  const details = asked === 'ready' && config !== null ? { status, reasons, config } : { status, reasons }
  const resting = asked === 'ready' && upstreams.length > 0 ? { upstreams } : {}
  return json(health[asked] ? 200 : 503, { ...details, ...resting })
}

function act(path: string, url: string, source: AdminSource): Promise<ChangeAnswer> {
  if (path === '/config/reload') return source.reload()
  // In the query, because bodies are never read.
  return source.rollback(new URLSearchParams(url.split('?')[1] ?? '').get('to'))
}

const CHANGE_STATUS: Readonly<Record<ChangeAnswer['result'], number>> = {
  used: 200,
  unchanged: 200,
  unknown: 409,
  failed: 409,
  refused: 422,
}

function changeAnswer({ result, document }: ChangeAnswer): Answer {
  return json(CHANGE_STATUS[result], document)
}

function json(status: number, document: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'application/json', text: `${JSON.stringify(document, null, 2)}\n`, headers }
}

function listenError({ address, port }: AdminOptions, error: NodeJS.ErrnoException): Error {
  const reason =
    error.code === 'EADDRINUSE' ? 'the port is taken by another process' : (error.code ?? error.message)
  return new Error(`the admin listener cannot listen on ${address} port ${port}: ${reason}`)
}
