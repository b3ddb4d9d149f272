// The fake model server: real sockets, five dialects, misbehaviour on command, and a record of what came in.

import net, { type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import type { HeaderList } from '../../../src/common/headers.ts'
import { readBehaviour, SOUND } from './behaviour.ts'
import { dialectOf } from './dialects/index.ts'
import { bytesOf, CREATED_SECONDS } from './dialects/shared.ts'
import { planRaw, planReply, planSilence, type ReplyParts, type SendPlan } from './plan.ts'
import { type RawRequest, RequestReader } from './request-reader.ts'
import { reset, Sender } from './sender.ts'
import { cannedTurn, tokensOf, turnFor } from './turn.ts'
import type {
  Behaviour,
  FakeDialect,
  FakePrompt,
  Json,
  RecordedRequest,
  ScriptedReply,
  Step,
} from './types.ts'

export interface FakeUpstreamOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number
  readonly host?: string
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer }
  /** Model ids of `GET /v1/models`. */
  readonly models?: readonly string[]
  /** Applies to every request; the `x-fake` header and scripts win over it. */
  readonly behaviour?: Partial<Behaviour>
  /** False keeps counters only: for load runs that would fill memory. Default true. */
  readonly record?: boolean
}

/** Plans of canned replies: one per dialect, form and `x-fake` value. */
const CANNED_MAX = 1_000
/** Between two tries to listen again. */
const RESUME_POLL_MS = 20

class Recorded implements RecordedRequest {
  readonly index: number
  readonly method: string
  readonly path: string
  readonly headers: HeaderList
  readonly body: Uint8Array
  readonly socket: number
  readonly arrivedAtMs = performance.now()
  finishedAtMs: number | null = null
  aborted = false
  abortedAtMs: number | null = null
  bytesSent = 0
  stalled = false

  constructor(index: number, raw: RawRequest, socket: number) {
    this.index = index
    this.method = raw.method
    this.path = raw.path
    this.headers = raw.headers
    this.body = raw.body
    this.socket = socket
  }

  header(name: string): string | null {
    const at = this.headers.findIndex((field, index) => index % 2 === 0 && field === name)
    return at === -1 ? null : this.headers[at + 1]!
  }

  text(): string {
    return Buffer.from(this.body).toString()
  }

  json(): Json {
    return JSON.parse(this.text())
  }
}

export class FakeUpstream {
  /** Every request in order of arrival (empty with `record: false`). */
  readonly requests: RecordedRequest[] = []
  requestsEver = 0
  socketsOpen = 0
  socketsEver = 0
  port = 0
  origin = ''
  private readonly options: FakeUpstreamOptions
  private readonly server: net.Server
  private readonly connections = new Set<Connection>()
  private readonly canned = new Map<string, SendPlan>()
  private readonly steps: Step[] = []
  private standing: Step | null = null
  private behaviour: Behaviour

  constructor(options: FakeUpstreamOptions) {
    this.options = options
    this.behaviour = { ...SOUND, ...options.behaviour }
    const accept = (socket: Socket): void => {
      this.connections.add(new Connection(this, socket))
    }
    const tuned = { noDelay: true }
    this.server =
      options.tls === undefined
        ? net.createServer(tuned, accept)
        : tls.createServer({ ...tuned, ...options.tls }, accept)
    if (options.tls !== undefined) this.server.on('tlsClientError', () => {})
  }

  async listen(): Promise<void> {
    await this.listenAt(this.options.port ?? 0)
    const host = this.options.host ?? '127.0.0.1'
    this.port = (this.server.address() as AddressInfo).port
    const scheme = this.options.tls === undefined ? 'http' : 'https'
    this.origin = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.port}`
  }

  private async listenAt(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(port, this.options.host ?? '127.0.0.1', 4096, () => {
        this.server.off('error', reject)
        resolve()
      })
    })
  }

  /** The next request without a script gets this reply. Called again: the one after that. */
  script(step: Step | ScriptedReply): void {
    this.steps.push(typeof step === 'function' ? step : () => step)
  }

  /** Every request gets this reply, after one-shot scripts; null ends that. */
  always(step: Step | ScriptedReply | null): void {
    this.standing = step === null || typeof step === 'function' ? step : () => step
  }

  /** Changes the behaviour of all later requests; `{}` makes it sound again. */
  behave(behaviour: Partial<Behaviour>): void {
    this.behaviour = { ...SOUND, ...this.options.behaviour, ...behaviour }
  }

  /** Cuts every connection: as a restart or a load balancer would. */
  dropConnections(how: 'fin' | 'reset' = 'reset'): void {
    for (const connection of this.connections) connection.drop(how)
  }

  /** Cuts every connection and refuses new ones: as a host whose server is down. */
  pause(): Promise<void> {
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    for (const connection of this.connections) connection.drop('reset')
    return closed
  }

  /** Listens again, at the same port. Somebody may have been given it meanwhile: then it waits until it is free. */
  async resume(): Promise<void> {
    while (!this.server.listening) {
      await this.listenAt(this.port).catch(() => new Promise(done => setTimeout(done, RESUME_POLL_MS)))
    }
  }

  close(): Promise<void> {
    return this.pause()
  }

  /** For the connection. */
  forget(connection: Connection): void {
    this.connections.delete(connection)
  }

  /** For the connection. */
  recordRequest(raw: RawRequest, socket: number): RecordedRequest {
    this.requestsEver += 1
    const recorded = new Recorded(this.requestsEver, raw, socket)
    if (this.options.record !== false) this.requests.push(recorded)
    return recorded
  }

  /** For the connection. */
  planFor(request: RecordedRequest): SendPlan {
    const asked = request.header('x-fake')
    let behaviour: Behaviour
    try {
      behaviour = asked === null ? this.behaviour : { ...this.behaviour, ...readBehaviour(asked) }
    } catch (error) {
      return planReply(plain(400, (error as Error).message), SOUND)
    }
    const scripted = this.scripted(request)
    if (scripted !== null) return planScripted(scripted, { ...behaviour, ...scripted.behaviour })
    const silence = planSilent(behaviour)
    if (silence !== null) return silence
    if (behaviour.html) return planReply(htmlPage(behaviour), behaviour)
    const dialect = dialectOf(request.method, request.path)
    if (dialect === null) return planReply(this.other(request, behaviour), behaviour)
    if (behaviour.canned) return this.cannedPlan(dialect, request, behaviour, asked ?? '')
    return planReply(replyOf(dialect, request, behaviour), behaviour)
  }

  private scripted(request: RecordedRequest): ScriptedReply | null {
    const step = this.steps.shift()
    const reply = step === undefined ? null : step(request)
    if (reply !== null || this.standing === null) return reply
    return this.standing(request)
  }

  private cannedPlan(
    dialect: FakeDialect,
    request: RecordedRequest,
    behaviour: Behaviour,
    asked: string,
  ): SendPlan {
    const body = request.body as Buffer
    const stream =
      body.includes('"stream":true') ||
      body.includes('"stream": true') ||
      request.path.includes(':streamGenerateContent') ||
      request.path.endsWith('/converse-stream')
    const streamUsage = stream && body.includes('"include_usage"')
    const key = `${dialect.id} ${stream} ${streamUsage} ${asked}`
    const known = this.canned.get(key)
    if (known !== undefined) return known
    const prompt: FakePrompt = { ...CANNED_PROMPT, stream, streamUsage }
    const plan = planReply(partsOf(dialect, prompt, behaviour, cannedTurn(behaviour)), behaviour)
    if (this.canned.size < CANNED_MAX) this.canned.set(key, plan)
    return plan
  }

  /** Paths that are not a chat call: model lists, token counts, and what does not exist. */
  private other(request: RecordedRequest, behaviour: Behaviour): ReplyParts {
    const path = request.path.split('?')[0]!
    if (request.method === 'GET' && path.endsWith('/models')) {
      const data = (this.options.models ?? ['fake-1', 'fake-2']).map(id => ({
        id,
        object: 'model',
        created: CREATED_SECONDS,
        owned_by: 'fake',
      }))
      return json(behaviour.status, { object: 'list', data })
    }
    if (request.method === 'POST' && path.endsWith('/messages/count_tokens')) {
      const prompt = dialectOf('POST', '/v1/messages')!.readPrompt(path, request.json())
      const inputTokens = prompt.texts.reduce((sum, text) => sum + tokensOf(text), 0)
      return json(behaviour.status, { input_tokens: inputTokens })
    }
    return json(404, { error: { message: `the fake upstream has no ${request.method} ${path}` } })
  }
}

class Connection {
  private readonly upstream: FakeUpstream
  private readonly socket: Socket
  private readonly number: number
  private readonly waiting: RecordedRequest[] = []
  private current: RecordedRequest | null = null
  private sender: Sender | null = null

  constructor(upstream: FakeUpstream, socket: Socket) {
    this.upstream = upstream
    this.socket = socket
    upstream.socketsOpen += 1
    upstream.socketsEver += 1
    this.number = upstream.socketsEver
    const reader = new RequestReader(raw => this.accept(raw))
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch {
        socket.destroy()
      }
    })
    socket.on('end', () => this.clientLeft())
    socket.on('error', () => {})
    socket.on('close', () => {
      this.clientLeft()
      upstream.socketsOpen -= 1
      upstream.forget(this)
    })
  }

  drop(how: 'fin' | 'reset'): void {
    if (how === 'reset') reset(this.socket)
    else this.socket.end()
  }

  private accept(raw: RawRequest): void {
    const request = this.upstream.recordRequest(raw, this.number)
    if (this.current === null) this.serve(request)
    else this.waiting.push(request)
  }

  private serve(request: RecordedRequest): void {
    this.current = request
    let plan: SendPlan
    try {
      plan = this.upstream.planFor(request)
    } catch (error) {
      plan = planReply(plain(500, `the fake upstream failed: ${(error as Error).message}`), SOUND)
    }
    this.sender = new Sender(this.socket, plan, request, () => this.served())
    this.sender.start()
  }

  private served(): void {
    this.current = null
    const next = this.waiting.shift()
    if (next !== undefined) this.serve(next)
  }

  private clientLeft(): void {
    this.sender?.stop()
    for (const request of [this.current, ...this.waiting]) {
      if (request === null || request.aborted || request.finishedAtMs !== null) continue
      request.aborted = true
      request.abortedAtMs = performance.now()
    }
  }
}

const CANNED_PROMPT: FakePrompt = {
  model: 'fake-canned',
  stream: false,
  streamUsage: false,
  texts: [],
  lastUserText: '',
  lastToolResult: null,
  tools: [],
  toolChoice: 'none',
  outputTokensMax: null,
}

/** Behaviours that never get as far as a reply. */
function planSilent(behaviour: Behaviour): SendPlan | null {
  const waitMs = behaviour.delayBeforeHeadersMs
  if (behaviour.hangBeforeHeaders) return planSilence('hang', waitMs)
  if (behaviour.resetBeforeHeaders) return planSilence('reset', waitMs)
  if (behaviour.closeBeforeHeaders) return planSilence('fin', waitMs)
  if (behaviour.garbage) return planRaw(bytesOf('\u0016\u0003 this is no HTTP at all\r\n\r\n\r\n'), behaviour)
  return null
}

function replyOf(dialect: FakeDialect, request: RecordedRequest, behaviour: Behaviour): ReplyParts {
  if (behaviour.status >= 400) {
    return json(behaviour.status, dialect.errorReply(behaviour.status, `fake status ${behaviour.status}`))
  }
  let prompt: FakePrompt
  try {
    prompt = dialect.readPrompt(request.path.split('?')[0]!, request.json())
  } catch {
    return json(400, dialect.errorReply(400, 'the body is no request of this dialect'))
  }
  return partsOf(dialect, prompt, behaviour, turnFor(prompt, behaviour))
}

function partsOf(
  dialect: FakeDialect,
  prompt: FakePrompt,
  behaviour: Behaviour,
  turn: ReturnType<typeof turnFor>,
): ReplyParts {
  if (behaviour.status >= 400) {
    return json(behaviour.status, dialect.errorReply(behaviour.status, `fake status ${behaviour.status}`))
  }
  if (!prompt.stream) return json(behaviour.status, dialect.wholeReply(turn))
  const frames = dialect.streamFrames(turn, prompt)
  return {
    status: behaviour.status,
    headers: ['content-type', dialect.streamType, 'x-request-id', `req_${turn.id}`],
    payload: [...frames.before, ...frames.content, ...frames.after],
    streamed: true,
    repeat: { from: frames.before.length, to: frames.before.length + frames.content.length },
  }
}

function planScripted(reply: ScriptedReply, behaviour: Behaviour): SendPlan {
  const silence = planSilent(behaviour)
  if (silence !== null) return silence
  if (reply.raw !== undefined) return planRaw(asBytes(reply.raw), behaviour)
  const payload = reply.frames?.map(asBytes) ?? [asBytes(reply.body ?? '')]
  const parts = {
    status: reply.status ?? behaviour.status,
    headers: reply.headers ?? ['content-type', 'application/json'],
    payload,
    streamed: reply.frames !== undefined,
    repeat: { from: 0, to: payload.length },
  }
  return planReply(parts, behaviour)
}

function asBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? bytesOf(content) : content
}

function json(status: number, body: Json): ReplyParts {
  return parts(status, 'application/json', JSON.stringify(body))
}

function plain(status: number, text: string): ReplyParts {
  return parts(status, 'text/plain', text)
}

function htmlPage(behaviour: Behaviour): ReplyParts {
  const status = behaviour.status === 200 ? 502 : behaviour.status
  const page = `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body><h1>${status}</h1></body>\r\n</html>`
  return parts(status, 'text/html', page)
}

function parts(status: number, type: string, text: string): ReplyParts {
  return {
    status,
    headers: ['content-type', type, 'x-request-id', 'req_fake'],
    payload: [bytesOf(text)],
    streamed: false,
    repeat: { from: 0, to: 1 },
  }
}

export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const upstream = new FakeUpstream(options)
  await upstream.listen()
  return upstream
}
