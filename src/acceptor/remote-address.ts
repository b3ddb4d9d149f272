// An address of four or sixteen bytes as text. An IPv4 address in its IPv6 dress is shown without it.

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return ''
  if (MAPPED_PREFIX.every((byte, at) => bytes[at] === byte)) return bytes.subarray(12).join('.')
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at]! << 8) | bytes[at + 1]!).toString(16))
  return shortened(groups)
}

/** The longest run of zero groups, of two at least, becomes `::`. */
function shortened(groups: readonly string[]): string {
  let bestAt = -1
  let bestLength = 1
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0
    while (groups[at + length] === '0') length += 1
    if (length > bestLength) {
      bestAt = at
      bestLength = length
    }
  }
  if (bestAt === -1) return groups.join(':')
  return `${groups.slice(0, bestAt).join(':')}::${groups.slice(bestAt + bestLength).join(':')}`
}

/** The same of Node's textual form. */
export function plainAddress(text: string | undefined): string {
  if (text === undefined) return ''
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text
}
