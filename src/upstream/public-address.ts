// Which addresses are out in the world, and which are somebody's own: loopback, private networks, link-local, the
// metadata services of clouds, multicast, and every form in which IPv6 can hide one of them. Refuses by default: what is
// not known to be public is not.

import { BlockList, isIP } from 'node:net'

/** Special-purpose registry of IPv4 (RFC 6890 and later), and Azure's platform address, which is public by number. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Inside the global part of IPv6 (2000::/3): protocols with an IPv4 address within, documentation. */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const v4 = new BlockList()
for (const [network, bits] of NOT_PUBLIC_V4) v4.addSubnet(network, bits, 'ipv4')
const v6 = new BlockList()
for (const [network, bits] of NOT_PUBLIC_V6) v6.addSubnet(network, bits, 'ipv6')
const v6Global = new BlockList()
v6Global.addSubnet('2000::', 3, 'ipv6')

/** 64:ff9b::/96, by which networks without IPv4 reach it: as good as the address within. */
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0]
const MAPPED = [0, 0, 0, 0, 0, 0xffff]

export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  const family = isIP(plain)
  if (family === 4) return !v4.check(plain, 'ipv4')
  if (family !== 6) return false
  const words = wordsOf(plain)
  for (const prefix of [MAPPED, TRANSLATED]) {
    if (prefix.every((word, at) => word === words[at])) return isPublicAddress(dotted(words[6]!, words[7]!))
  }
  return v6Global.check(plain, 'ipv6') && !v6.check(plain, 'ipv6')
}

/** Eight numbers; the URL parser brings every spelling to one. */
function wordsOf(address: string): readonly number[] {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const before = parsed(head)
  if (tail === undefined) return before
  const after = parsed(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function parsed(text: string): number[] {
  return text === '' ? [] : text.split(':').map(word => Number.parseInt(word, 16))
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}
