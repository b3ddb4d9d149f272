// Throws bytes at each acceptor over loopback: sound requests, damaged ones, spliced ones and noise, in one piece or
// several. The process must live; a sound request afterwards must be served; and no acceptor may serve more out of
// the bytes than the strictest reader finds in them. The native server may serve one request that the strict reader
// refuses, but nothing behind it.

import net from 'node:net'
import { assert } from '../../src/common/assert.ts'
import { type Acceptor, type AcceptorKind, openAcceptor } from '../../src/acceptor/index.ts'
import { BOUNDS, chunked, post, request, until } from '../acceptor/contract/bench.ts'
import { BAD_CHUNKS, DOUBTFUL_HEADS, head, SMUGGLED, TE } from '../acceptor/contract/smuggling.ts'
import { FakeEngine } from '../acceptor/fake-engine.ts'
import { RawClient } from '../acceptor/raw-client.ts'
import type { FuzzOptions, FuzzResult } from './main.ts'
import { readStrictly } from './strict-requests.ts'

type Random = (below: number) => number

const CORPUS: readonly string[] = [
  request('GET /get'),
  request('GET /get?a=b', ['Accept: */*', 'Connection: keep-alive']),
  post('/post', '{"model":"m"}', ['Content-Type: application/json']),
  post('/empty', ''),
  chunked('/chunked', ['{"model"', ':"m"}']),
  request('POST /trailer', ['Transfer-Encoding: chunked'], '2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n'),
  request('POST /extension', ['Transfer-Encoding: chunked'], '2;a=b\r\nab\r\n0\r\n\r\n'),
  request('HEAD /head'),
  request('OPTIONS /options', ['Origin: http://a']),
  ...DOUBTFUL_HEADS.map(({ bytes }) => bytes),
  ...BAD_CHUNKS.map(([, chunks]) => head(TE) + chunks + SMUGGLED),
]

const SPICE: readonly string[] = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', ':', ' ', '\t', '\0', '\x7f', '\xff', ';', ','],
  ...['Content-Length: 3\r\n', 'Content-Length: 30\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: h\r\n'],
  ...[
    '0\r\n\r\n',
    '3\r\nabc\r\n',
    'ffffffff\r\n',
    'GET /spliced HTTP/1.1\r\nHost: h\r\n\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
  ],
  ...['Connection: close\r\n', 'Expect: 100-continue\r\n', 'chunked', 'close'],
]

/** One iteration sends at most this much: the native server takes no more of a header block in pieces. */
const INPUT_BYTES_MAX = 4_000
/** Between two looks whether a sound request is still served. */
const ITERATIONS_PER_LOOK = 25
/** A connection that has been closed for sending is answered or closed well before this. */
const WAIT_MS_MAX = 5_000

/** Small random numbers from a seed (mulberry32): a failing run replays. */
function generator(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function input(random: Random): string {
  let text = ''
  for (let count = 1 + random(3); count > 0; count -= 1) text += CORPUS[random(CORPUS.length)]!
  for (let blow = random(6); blow > 0; blow -= 1) {
    const at = random(text.length + 1)
    const length = random(12)
    switch (random(5)) {
      case 0:
        text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1)
        break
      case 1:
        text = text.slice(0, at) + SPICE[random(SPICE.length)]! + text.slice(at)
        break
      case 2:
        text = text.slice(0, at) + text.slice(at + length)
        break
      case 3:
        text = text.slice(0, at) + text.slice(at, at + length) + text.slice(at)
        break
      default:
        text = text.slice(0, at)
    }
  }
  return text.slice(0, INPUT_BYTES_MAX)
}

/**
 * What the native server hides from us: fields behind one without a name, and bytes beyond ASCII at either end of a
 * value. Such bytes are thrown at it too, but what it serves of them cannot be held against it.
 */
function blindsNative(text: string): boolean {
  return /\r\n:/.test(text) || /:[\t ]*[\x80-\xff]|[\x80-\xff][\t ]*\r\n/.test(text)
}

class Target {
  readonly kind: AcceptorKind
  readonly engine = new FakeEngine()
  private readonly acceptor: Acceptor

  constructor(kind: AcceptorKind, acceptor: Acceptor, engine: FakeEngine) {
    this.kind = kind
    this.acceptor = acceptor
    this.engine = engine
  }

  async throwAt(text: string, random: Random): Promise<void> {
    this.engine.seen.length = 0
    this.engine.refused.length = 0
    const socket = net.connect({ port: this.acceptor.port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    socket.resume()
    const closed = new Promise<void>(done => socket.once('close', () => done()))
    await new Promise<void>(done => socket.once('connect', done))
    const bytes = Buffer.from(text, 'latin1')
    const cut = random(3) === 0 ? random(bytes.length + 1) : bytes.length
    socket.write(bytes.subarray(0, cut))
    if (cut < bytes.length) await new Promise(done => setImmediate(done))
    // A client that ends its sending side has left; so every iteration comes to an end at once.
    socket.end(bytes.subarray(cut))
    const late = setTimeout(() => socket.destroy(new Error('late')), WAIT_MS_MAX)
    await closed
    clearTimeout(late)
    this.judge(text)
  }

  private judge(text: string): void {
    if (this.kind === 'uws' && blindsNative(text)) return
    const { requests, rest } = readStrictly(text)
    const served = this.engine.seen.filter(seen => seen.events.includes('body'))
    for (const [index, seen] of served.entries()) {
      const sound = requests[index]
      if (sound === undefined) {
        const lenient = this.kind === 'uws' && index === requests.length && index === served.length - 1
        assert(
          lenient && rest !== 'nothing',
          `${this.kind} served ${seen.request.target} behind ${requests.length} sound requests (${rest}) of ${JSON.stringify(text)}`,
        )
      } else {
        const same =
          sound.method === seen.request.method &&
          sound.target === seen.request.target &&
          (sound.body === seen.bytes.toString('latin1') ||
            (this.kind === 'uws' && seen.request.contentLength === null))
        assert(same, `${this.kind} read ${seen.request.target} otherwise, of ${JSON.stringify(text)}`)
      }
    }
  }

  async stillServes(): Promise<void> {
    const client = await RawClient.connect(this.acceptor.port)
    for (const bytes of [post('/still', 'here'), chunked('/still', ['here'])]) {
      const reply = await client.send(bytes).reply()
      assert(reply.body.toString() === 'here', `${this.kind} no longer serves`)
    }
    client.destroy()
  }

  async stop(): Promise<void> {
    await until(() => this.acceptor.connections === 0, `${this.kind}: no connection left`)
    this.acceptor.close()
  }
}

async function targets(): Promise<Target[]> {
  const found: Target[] = []
  for (const kind of ['uws', 'node'] as const) {
    const engine = new FakeEngine()
    const options = {
      listener: 'main',
      address: '127.0.0.1',
      port: 0,
      tls: null,
      bounds: BOUNDS,
      exclusive: true,
    }
    try {
      const { acceptor } = await openAcceptor({ ...options, kind }, engine)
      await acceptor.listen()
      found.push(new Target(kind, acceptor, engine))
    } catch (thrown) {
      console.log(`acceptor: ${kind} is left out: ${(thrown as Error).message}`)
    }
  }
  return found
}

export async function run({ seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = generator(seed)
  const all = await targets()
  const end = performance.now() + seconds * 1_000
  let iterations = 0
  while (performance.now() < end) {
    const text = input(random)
    for (const target of all) await target.throwAt(text, random)
    iterations += 1
    if (iterations % ITERATIONS_PER_LOOK === 0) for (const target of all) await target.stillServes()
  }
  for (const target of all) await target.stop()
  return { iterations }
}
