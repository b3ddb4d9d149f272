// Laws of NO_PROXY over random names, addresses and blocks.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProxyRules, readException } from '../../src/common/proxies.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`proxy properties: FAST_CHECK_SEED=${seed}`)
const RUNS = { seed, numRuns: 500 }

const PROXY = { secure: false, host: 'p', port: 1, credentials: null }
const through = (origin: string, except: readonly string[]): boolean =>
  new ProxyRules({ http: PROXY, https: PROXY, except }).proxyFor(origin) !== null

/** `xn--` announces another alphabet, and what is behind it must be spelled in it: else it is no name at all. */
const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z]$/).filter(text => !text.startsWith('xn--'))
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map(labels => labels.join('.'))
const port = fc.integer({ min: 1, max: 65_535 })
const address = fc.integer({ min: 0, max: 0xffffffff })
const dotted = (value: number): string => [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
/** What is never proxied anyway says nothing about the rules. */
const isHere = (value: number): boolean =>
  value === 0 || value >>> 24 === 127 || value >>> 16 === (169 << 8) + 254

test('a name covers itself and what is below it, however it is written, and nothing else', () => {
  fc.assert(
    fc.property(name, name, label, port, (host, other, below, at) => {
      const form = (text: string) => [
        text,
        `.${text}`,
        `*.${text}`,
        `${text}.`,
        `${text}:${at}`,
        text.toUpperCase(),
      ]
      for (const entry of form(host)) {
        expect(through(`https://${host}:${at}`, [entry])).toBe(false)
        expect(through(`https://${below}.${host}:${at}`, [entry])).toBe(false)
        expect(through(`https://${below}${host}:${at}`, [entry])).toBe(true)
        const covered = other === host || other.endsWith(`.${host}`)
        expect(through(`https://${other}:${at}`, [entry])).toBe(!covered)
      }
    }),
    RUNS,
  )
})

test('a block holds the addresses whose first bits are its own', () => {
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 32 }), (block, asked, bits) => {
      fc.pre(!isHere(asked))
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
      const held = (block & mask) >>> 0 === (asked & mask) >>> 0
      expect(through(`http://${dotted(asked)}`, [`${dotted(block)}/${bits}`])).toBe(!held)
      // As IPv6 writes the same address.
      expect(through(`http://[::ffff:${dotted(asked)}]`, [`${dotted(block)}/${bits}`])).toBe(!held)
    }),
    RUNS,
  )
})

test('an entry with a port holds at that port alone', () => {
  fc.assert(
    fc.property(name, port, port, (host, written, asked) => {
      expect(through(`http://${host}:${asked}`, [`${host}:${written}`])).toBe(written !== asked)
    }),
    RUNS,
  )
})

test('more entries never send more calls through the proxy, and no text breaks the reading', () => {
  fc.assert(
    fc.property(name, fc.array(fc.oneof(name, fc.string()), { maxLength: 8 }), (host, entries) => {
      for (const entry of entries) readException(entry)
      const known = entries.filter(entry => readException(entry) !== null)
      for (let count = 1; count <= known.length; count += 1) {
        if (!through(`https://${host}`, known.slice(0, count - 1))) {
          expect(through(`https://${host}`, known.slice(0, count))).toBe(false)
        }
      }
    }),
    RUNS,
  )
})
