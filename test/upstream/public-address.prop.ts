// Laws of what counts as public: no spelling of an address makes it another one, and nothing throws.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPublicAddress } from '../../src/upstream/index.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`public-address properties: FAST_CHECK_SEED=${seed}`)

/** Networks that are nobody's to ask for: first address, and how many bits of it count. */
const PRIVATE: readonly (readonly [string, number])[] = [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
]

function numberOf(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

const privateAddress = fc
  .tuple(fc.constantFrom(...PRIVATE), fc.nat(0xffffffff))
  .map(([[network, bits], low]) => numberOf(network) + (low % 2 ** (32 - bits)))

function dotted(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}

const radix = fc.constantFrom<(part: number) => string>(
  part => String(part),
  part => `0x${part.toString(16)}`,
  part => `0X${part.toString(16).toUpperCase()}`,
  part => `0${part.toString(8)}`,
)

/** One to four parts, each in a notation of its own, the last one filling up the rest. */
const spelling = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.array(radix, { minLength: 4, maxLength: 4 }))

test('no notation of a number makes a private address public', () => {
  fc.assert(
    fc.property(privateAddress, spelling, fc.boolean(), (address, [parts, radixes], dot) => {
      const leading = [24, 16, 8].slice(0, parts - 1).map(shift => Math.floor(address / 2 ** shift) % 256)
      const rest = address % 2 ** (32 - 8 * (parts - 1))
      const text = [...leading, rest].map((part, at) => radixes[at]!(part)).join('.')
      const { hostname } = new URL(`http://${text}${dot ? '.' : ''}/`)
      expect(hostname).toBe(dotted(address))
      expect(isPublicAddress(hostname)).toBe(false)
    }),
    { seed },
  )
})

test('no address inside another makes a private one public', () => {
  const wrap = fc.constantFrom<(high: string, low: string) => string>(
    (high, low) => `::ffff:${high}:${low}`,
    (high, low) => `::${high}:${low}`,
    (high, low) => `::ffff:0:${high}:${low}`,
    (high, low) => `64:ff9b::${high}:${low}`,
    (high, low) => `64:ff9b:1::${high}:${low}`,
    (high, low) => `2002:${high}:${low}::1`,
    (high, low) => `2001:0:${high}:${low}::`,
    (high, low) => `fe80::5efe:${high}:${low}`,
  )
  fc.assert(
    fc.property(privateAddress, wrap, (address, into) => {
      const [high, low] = [Math.floor(address / 65_536), address % 65_536].map(word => word.toString(16))
      expect(isPublicAddress(into(high!, low!))).toBe(false)
    }),
    { seed },
  )
})

test('an address is judged the same in every spelling, and nothing throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), fc.ipV4(), fc.string(), fc.domain()), text => {
      const judged = isPublicAddress(text)
      expect(typeof judged).toBe('boolean')
      if (!judged || !text.includes(':')) return
      const { hostname } = new URL(`http://[${text}]/`)
      expect(isPublicAddress(hostname.slice(1, -1))).toBe(true)
      expect(isPublicAddress(text.toUpperCase())).toBe(true)
    }),
    { seed, numRuns: 500 },
  )
})
