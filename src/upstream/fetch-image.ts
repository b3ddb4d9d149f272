// Fetches a picture from an address that a caller chose, for upstreams that take pictures by value only. Owns what such
// an address may be and how much of its answer is read. Whoever can name an address could otherwise ask what only the
// gateway can reach: so only public addresses are connected to, and it is the address about to be connected to that is
// judged, never a name that may mean another one a moment later. Every redirect is judged anew.
// Refuses proxies (they resolve names themselves, unjudged), credentials in addresses, and what is no picture.

import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../common/clock.ts'
import { GatewayError } from '../common/errors.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import type { Deadlines, UpstreamCall, UpstreamClient, UpstreamHandler } from './upstream.ts'

/** Larger than any upstream takes. */
const IMAGE_BYTES_MAX = 10 * 1024 * 1024
/** From the first question to the last byte, redirects included. */
const FETCH_MS_MAX = 10_000
const REDIRECTS_MAX = 3
/** At once in a shard; more wait, and more than those are refused. */
const RUNNING_MAX = 8
const WAITING_MAX = 64

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface FetchedImage {
  readonly mime: string
  readonly bytes: Uint8Array
}

export interface ImageFetcher {
  /** Rejects with `bad-request`, whose message names the host and says why, or `overloaded`. */
  fetch(url: string): Promise<FetchedImage>
  close(): Promise<void>
}

/** The name leads to an address that is nobody's business. */
class AddressRefused extends Error {}

/** Resolves as `lookup` does, and only to addresses that `allowed` lets pass: all of them, or none. */
export function judgedLookup(
  lookup: LookupFunction | null,
  allowed: (address: string) => boolean,
): LookupFunction {
  const resolve = lookup ?? (systemLookup as LookupFunction)
  return (host, options: LookupOptions, callback) => {
    resolve(host, { ...options, all: true }, (error, found, family) => {
      if (error !== null) return callback(error, found, family)
      const addresses: readonly LookupAddress[] =
        typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => allowed(address)))
        return callback(new AddressRefused(), '', 0)
      if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }
}

export class PublicImages implements ImageFetcher {
  private readonly client: UpstreamClient
  private readonly clock: Clock
  private readonly allowed: (address: string) => boolean
  private running = 0
  private readonly waiting: (() => void)[] = []

  /** `client` must resolve names by {@link judgedLookup}. */
  constructor(client: UpstreamClient, clock: Clock, allowed: (address: string) => boolean) {
    this.client = client
    this.clock = clock
    this.allowed = allowed
  }

  async fetch(url: string): Promise<FetchedImage> {
    const first = this.judged(url, null)
    await this.turn()
    try {
      return await this.follow(first)
    } finally {
      this.running -= 1
      this.waiting.shift()?.()
    }
  }

  close(): Promise<void> {
    return this.client.close()
  }

  private async turn(): Promise<void> {
    if (this.running >= RUNNING_MAX) {
      if (this.waiting.length >= WAITING_MAX)
        throw new GatewayError('overloaded', 'too many images are being fetched; try again later')
      await new Promise<void>(resolve => this.waiting.push(resolve))
    }
    this.running += 1
  }

  private async follow(first: URL): Promise<FetchedImage> {
    const untilMs = this.clock.monotonicMs() + FETCH_MS_MAX
    let url = first
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const leftMs = untilMs - this.clock.monotonicMs()
      if (leftMs <= 0) break
      const reply = await this.ask(url, leftMs)
      if ('bytes' in reply) return reply
      url = this.judged(reply.location, url)
    }
    throw refused(first, `is redirected more than ${REDIRECTS_MAX} times or for too long`)
  }

  /** What may be asked for: the web, by a name or a public address, with no secrets in it. */
  private judged(text: string, from: URL | null): URL {
    const url = URL.canParse(text, from?.href) ? new URL(text, from?.href) : null
    if (url === null) throw refused(from, from === null ? 'is no address' : 'is redirected to no address')
    const web = url.protocol === 'https:' || (url.protocol === 'http:' && from?.protocol !== 'https:')
    if (!web) throw refused(from ?? url, 'must be at an https address')
    if (url.username !== '' || url.password !== '') throw refused(url, 'must not name a user in its address')
    // The parser has brought every spelling of a number to one; names are judged when they are resolved.
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
    if (isIP(host) !== 0 && !this.allowed(host)) throw refused(url, NOT_PUBLIC)
    return url
  }

  private ask(url: URL, leftMs: number): Promise<FetchedImage | Redirect> {
    return new Promise((resolve, reject) => {
      const asked = new AskedImage(url, resolve, reject)
      asked.call = this.client.send(
        {
          origin: url.origin,
          method: 'GET',
          path: url.pathname + url.search,
          headers: ['accept', 'image/*', 'accept-encoding', 'identity', 'user-agent', 'sluice'],
          body: null,
          deadlines: deadlinesWithin(leftMs),
        },
        asked,
      )
    })
  }
}

interface Redirect {
  readonly location: string
}

class AskedImage implements UpstreamHandler {
  call: UpstreamCall | null = null
  private readonly url: URL
  private readonly resolve: (reply: FetchedImage | Redirect) => void
  private readonly reject: (error: GatewayError) => void
  private readonly pieces: Uint8Array[] = []
  private bytes = 0

  constructor(
    url: URL,
    resolve: (reply: FetchedImage | Redirect) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.url = url
    this.resolve = resolve
    this.reject = reject
  }

  head(status: number, headers: HeaderList): void {
    const location = headerValue(headers, 'location')
    if (REDIRECTS.has(status) && location !== null) {
      this.leave()
      this.resolve({ location })
    } else if (status !== 200) this.refuse(`was answered with status ${status}`)
    else if ((headerValue(headers, 'content-encoding') ?? 'identity') !== 'identity')
      this.refuse('came encoded though that was not asked for')
    else if (Number(headerValue(headers, 'content-length') ?? 0) > IMAGE_BYTES_MAX) this.tooLarge()
  }

  data(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.bytes > IMAGE_BYTES_MAX) this.tooLarge()
    else this.pieces.push(chunk.slice())
  }

  end(): void {
    const bytes = Buffer.concat(this.pieces)
    const mime = imageType(bytes)
    if (mime === null) this.refuse('is no PNG, JPEG, GIF or WebP')
    else this.resolve({ mime, bytes })
  }

  fail(error: GatewayError): void {
    this.reject(
      refused(this.url, causeOf(error) instanceof AddressRefused ? NOT_PUBLIC : whyOf(error), error),
    )
  }

  private tooLarge(): void {
    this.refuse(`is larger than ${IMAGE_BYTES_MAX} bytes`)
  }

  private refuse(why: string): void {
    this.leave()
    this.reject(refused(this.url, why))
  }

  /** Nothing is called after it; a reply that nobody reads costs its connection. */
  private leave(): void {
    this.call?.abort()
  }
}

const NOT_PUBLIC = 'is not at a public address'

function whyOf(error: GatewayError): string {
  if (error.kind === 'upstream-timeout') return `did not come within ${FETCH_MS_MAX / 1_000} s`
  return error.kind === 'upstream-connect' ? 'is at a host that cannot be reached' : 'came broken'
}

function causeOf(error: GatewayError): unknown {
  let cause: unknown = error
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  return cause
}

/** The host is told, to find the picture among several; the rest of an address may hold secrets. */
function refused(url: URL | null, why: string, cause?: unknown): GatewayError {
  const where = url === null ? '' : ` at ${url.host}`
  return new GatewayError('bad-request', `the image${where} ${why}`, { code: 'image_not_fetched', cause })
}

function deadlinesWithin(leftMs: number): Deadlines {
  return {
    connectMs: leftMs,
    headersMs: leftMs,
    firstByteMs: leftMs,
    betweenBytesMs: leftMs,
    totalMs: leftMs,
  }
}

/** By its first bytes: what a server calls it decides nothing. */
export function imageType(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif'
  return head.startsWith('RIFF') && head.slice(8) === 'WEBP' ? 'image/webp' : null
}
