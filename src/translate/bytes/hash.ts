// A small hash for names and ids that must be the same in every turn. Not for secrets and not against attackers:
// two 32-bit multiplicative hashes with different seeds, printed as hex.

function mix(text: string, seed: number, multiplier: number): number {
  let hash = seed >>> 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), multiplier)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b)
  return (hash ^ (hash >>> 16)) >>> 0
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0')
}

/** Up to 24 hex digits. */
export function hashHex(text: string, digits: number): string {
  let hex = hex8(mix(text, 0x9747b28c, 0x5bd1e995))
  if (digits > 8) hex += hex8(mix(text, 0x3c6ef372, 0x1b873593))
  if (digits > 16) hex += hex8(mix(text, 0xa54ff53a, 0xcc9e2d51))
  return hex.slice(0, digits)
}
