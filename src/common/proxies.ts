// Which calls go through which proxy. Owns the rules of NO_PROXY and the places that are never reached through a proxy;
// reads no environment (that is the configuration's) and opens no socket.
//
// Names are compared as they are written: nothing is resolved, so a rule about addresses holds for addresses only.

import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { ProxiesPlan, ProxyPlan } from './config/plan.ts'

/** This machine itself, and the links on which machines are told who they are: no proxy could reach them for us. */
const HERE = new BlockList()
HERE.addSubnet('127.0.0.0', 8, 'ipv4')
HERE.addAddress('0.0.0.0', 'ipv4')
HERE.addSubnet('169.254.0.0', 16, 'ipv4')
HERE.addAddress('::1', 'ipv6')
HERE.addSubnet('fe80::', 10, 'ipv6')
HERE.addSubnet('fd00:ec2::', 32, 'ipv6')
const HERE_NAMES: ReadonlySet<string> = new Set(['localhost', 'metadata.google.internal'])

/** One entry of NO_PROXY, understood. */
export interface ProxyException {
  /** Everything. */
  readonly all: boolean
  /** A name, which stands for itself and all names below it. */
  readonly name: string | null
  readonly addresses: BlockList | null
  /** Null: every port. */
  readonly port: number | null
}

/** Of `https://host:port`: what the rules look at. */
interface Destination {
  readonly secure: boolean
  readonly host: string
  readonly port: number
}

/** Answers for one plan; reading the rules is done once. */
export class ProxyRules {
  private readonly plan: ProxiesPlan | null
  private readonly exceptions: readonly ProxyException[]

  constructor(plan: ProxiesPlan | null) {
    this.plan = plan
    const read = plan === null ? [] : plan.except.map(readException)
    this.exceptions = read.filter(exception => exception !== null)
  }

  /** The proxy for `http://host:port` or `https://host:port`, or null for a direct connection. */
  proxyFor(origin: string): ProxyPlan | null {
    if (this.plan === null) return null
    const destination = destinationOf(origin)
    const proxy = destination.secure ? this.plan.https : this.plan.http
    if (proxy === null || isHere(destination.host)) return null
    return this.exceptions.some(exception => excepts(exception, destination)) ? null : proxy
  }
}

/** `host`, `.host`, `*.host`, an address, a CIDR block or `*`; `:port` behind any but a block. Null: none of these. */
export function readException(text: string): ProxyException | null {
  const entry = text.trim().toLowerCase()
  if (entry.includes('/')) return readBlock(entry)
  // A bare IPv6 address has colons of its own.
  const bare = isIP(entry) === 6
  const [, host, digits] = bare ? [null, entry, undefined] : (/^(.*?)(?::(\d{1,5}))?$/.exec(entry) ?? [])
  if (host === undefined) return null
  const port = digits === undefined ? null : Number(digits)
  if (port !== null && (port === 0 || port > PORT_MAX)) return null
  if (host === '*') return { all: true, name: null, addresses: null, port }
  const address = /^\[.*\]$/.test(host) ? host.slice(1, -1) : host
  const family = isIP(address)
  if (family !== 0) {
    const addresses = new BlockList()
    addresses.addAddress(address, family === 4 ? 'ipv4' : 'ipv6')
    return { all: false, name: null, addresses, port }
  }
  const name = domainToASCII(bareName(host))
  return NAME.test(name) ? { all: false, name, addresses: null, port } : null
}

/** `http://host:port`, with a mark in place of credentials: for people. */
export function proxyText({ secure, host, port, credentials }: ProxyPlan): string {
  const shownHost = host.includes(':') ? `[${host}]` : host
  return `${secure ? 'https' : 'http'}://${credentials === null ? '' : '***@'}${shownHost}:${port}`
}

const PORT_MAX = 65_535

const NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

function readBlock(entry: string): ProxyException | null {
  const [address = '', digits = '', ...rest] = entry.split('/')
  const family = isIP(address)
  const bits = /^\d{1,3}$/.test(digits) ? Number(digits) : -1
  if (family === 0 || rest.length > 0 || bits < 0 || bits > (family === 4 ? 32 : 128)) return null
  const addresses = new BlockList()
  addresses.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  return { all: false, name: null, addresses, port: null }
}

/** Without what stands for "and all names below", which every name does here, and without the root's dot. */
function bareName(host: string): string {
  return host.replace(/^\*?\./, '').replace(/\.$/, '')
}

function destinationOf(origin: string): Destination {
  const { hostname, port, protocol } = new URL(origin)
  const secure = protocol === 'https:'
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : bareName(hostname.toLowerCase())
  return { secure, host, port: port === '' ? (secure ? 443 : 80) : Number(port) }
}

function isHere(host: string): boolean {
  return HERE_NAMES.has(host) || host.endsWith('.localhost') || holds(HERE, host)
}

function excepts({ all, name, addresses, port }: ProxyException, destination: Destination): boolean {
  if (port !== null && port !== destination.port) return false
  if (all) return true
  const { host } = destination
  if (name !== null) return host === name || host.endsWith(`.${name}`)
  return addresses !== null && holds(addresses, host)
}

function holds(addresses: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && addresses.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
