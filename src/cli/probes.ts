// Looking at what a gateway depends on from outside: names, sockets, certificates, stores. Every look is bounded in time,
// opens one connection and sends nothing that costs anything.

import { lookup } from 'node:dns/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { ProxyPlan } from '../common/config/index.ts'
import { proxyText } from '../common/proxies.ts'
import { askForTunnel, ProxyFault } from '../upstream/index.ts'

export interface Probe {
  readonly ok: boolean
  readonly detail: string
}

/** Whoever is further away than this is not usable for a gateway either. */
export const PROBE_MS_MAX = 5_000
const DAY_MS = 86_400_000
/** A certificate that ends sooner is worth a word. */
const CERTIFICATE_DAYS_MIN = 14
const REPLY_BYTES_MAX = 4_096

/** With a proxy, through it, as calls will go: then the name is the proxy's to find. */
export async function probeOrigin(origin: string, proxy: ProxyPlan | null = null): Promise<Probe> {
  if (proxy !== null) return probeThrough(origin, proxy)
  const { host, port, secure } = placeOf(origin)
  const begun = performance.now()
  let address: string
  try {
    ;({ address } = await within(lookup(host), 'DNS'))
  } catch (error) {
    return { ok: false, detail: `DNS: ${reason(error)}` }
  }
  try {
    const note = secure ? await tlsNote(host, { host, port }) : await tcpNote(host, port)
    return { ok: true, detail: `${address}, ${note}, ${Math.round(performance.now() - begun)} ms` }
  } catch (error) {
    return { ok: false, detail: `${address}, ${secure ? 'TLS' : 'TCP'}: ${reason(error)}` }
  }
}

async function probeThrough(origin: string, proxy: ProxyPlan): Promise<Probe> {
  const via = `through ${proxyText(proxy)}`
  const { host, secure, authority } = placeOf(origin)
  const begun = performance.now()
  let at = 'the proxy'
  try {
    const target = { host: proxy.host, port: proxy.port }
    const socket = proxy.secure
      ? await opened(connectTls({ ...target, ...serverName(proxy.host) }), 'secureConnect')
      : await opened(connectTcp(target), 'connect')
    let note = 'connected to the proxy'
    if (secure) {
      await tunnelled(socket, proxy, authority)
      at = 'TLS'
      note = await tlsNote(host, { socket })
    }
    socket.destroy()
    return { ok: true, detail: `${via}, ${note}, ${Math.round(performance.now() - begun)} ms` }
  } catch (error) {
    const words = error instanceof ProxyFault ? ` ${error.message}` : `: ${reason(error)}`
    return { ok: false, detail: `${via}, ${at}${words}` }
  }
}

function placeOf(origin: string): { host: string; port: number; secure: boolean; authority: string } {
  const { hostname, port, protocol } = new URL(origin)
  const secure = protocol === 'https:'
  const number = Number(port === '' ? (secure ? 443 : 80) : port)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: number, secure, authority: `${hostname}:${number}` }
}

/** An address may not be asked for by name. */
function serverName(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host }
}

/** The proxy has opened the way. */
function tunnelled(socket: Socket, proxy: ProxyPlan, authority: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`gave no answer within ${PROBE_MS_MAX} ms`)),
      PROBE_MS_MAX,
    )
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(new ProxyFault('closed the connection before it answered'))
    })
    askForTunnel(socket, proxy, authority, () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

async function tcpNote(host: string, port: number): Promise<string> {
  const socket = await opened(connectTcp({ host, port }), 'connect')
  socket.destroy()
  return 'connected'
}

async function tlsNote(
  host: string,
  way: { host: string; port: number } | { socket: Socket },
): Promise<string> {
  const socket = await opened(connectTls({ ...way, host, ...serverName(host) }), 'secureConnect')
  const { valid_to: until } = socket.getPeerCertificate()
  const version = socket.getProtocol() ?? 'TLS'
  socket.destroy()
  const days = Math.floor((Date.parse(until) - Date.now()) / DAY_MS)
  return days < CERTIFICATE_DAYS_MIN ? `${version}, its certificate ends in ${days} days` : version
}

function opened<S extends Socket | TLSSocket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`nothing within ${PROBE_MS_MAX} ms`)),
      PROBE_MS_MAX,
    )
    socket.once('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    socket.once(event, () => {
      clearTimeout(timer)
      resolve(socket)
    })
  })
}

/** `redis://[user:password@]host[:port]`, `rediss://` over TLS. */
export async function probeRedis(url: string): Promise<Probe> {
  const { protocol, hostname, port, username, password } = new URL(url)
  const target = { host: hostname, port: Number(port === '' ? 6379 : port) }
  try {
    const socket =
      protocol === 'rediss:'
        ? await opened(connectTls({ ...target, servername: hostname }), 'secureConnect')
        : await opened(connectTcp(target), 'connect')
    const words = ['AUTH', ...(username === '' ? [] : [username]), password].map(decodeURIComponent)
    const greeting = password === '' ? '' : command(words)
    const reply = await talk(socket, greeting + command(['PING']), password === '' ? 1 : 2)
    const error = /^-([^\r]*)/m.exec(reply)
    // A server that wants a password is there; whether ours is right it has just said.
    if (error !== null) return { ok: false, detail: `it says: ${error[1]}` }
    return { ok: reply.includes('+PONG'), detail: reply.includes('+PONG') ? 'answers PING' : 'is no Redis' }
  } catch (error) {
    return { ok: false, detail: reason(error) }
  }
}

/** One command in the protocol of Redis. */
function command(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

/** Asks only whether it speaks TLS, which a PostgreSQL answers before it knows who asks. */
export async function probePostgres(url: string): Promise<Probe> {
  const { hostname, port } = new URL(url)
  try {
    const socket = await opened(
      connectTcp({ host: hostname, port: Number(port === '' ? 5432 : port) }),
      'connect',
    )
    const reply = await talk(socket, SSL_REQUEST, 1)
    const known = reply.startsWith('S') || reply.startsWith('N')
    return {
      ok: known,
      detail: known ? `answers${reply.startsWith('S') ? ', with TLS' : ''}` : 'is no PostgreSQL',
    }
  } catch (error) {
    return { ok: false, detail: reason(error) }
  }
}

/** Length 8, then the number that asks for TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** Sends, reads until that many lines (or one byte) have come, and leaves. */
function talk(socket: Socket, text: string | Buffer, lines: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = ''
    const timer = setTimeout(() => end(new Error(`no answer within ${PROBE_MS_MAX} ms`)), PROBE_MS_MAX)
    const end = (error: Error | null): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error === null) resolve(reply)
      else reject(error)
    }
    socket.on('data', chunk => {
      reply += chunk.toString('latin1')
      const enough = typeof text !== 'string' || reply.split('\n').length > lines
      if (enough || reply.length > REPLY_BYTES_MAX) end(null)
    })
    socket.on('error', end)
    socket.on('end', () => end(reply === '' ? new Error('it closed the connection') : null))
    socket.write(text)
  })
}

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} answer within ${PROBE_MS_MAX} ms`)), PROBE_MS_MAX)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOTFOUND':
      return 'no such host'
    case 'EAI_AGAIN':
      return 'the name server does not answer'
    case 'ECONNREFUSED':
      return 'nothing listens there'
    case 'ETIMEDOUT':
      return 'nothing answers'
    case undefined:
      return message
    default:
      return code
  }
}
