// Where frames of server-sent events begin and end, for lines that end with LF or CRLF. A stream with other line ends
// is read all the same; its frames are only never known beforehand.

const LF = 0x0a
const CR = 0x0d
const DATA = [0x64, 0x61, 0x74, 0x61, 0x3a]

/** Index behind the first blank line that is sure to be one, or -1. */
export function frameEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}

export function endsFrame(bytes: Uint8Array, from: number, to: number): boolean {
  return blankLine(bytes, from, to) > 0
}

/** Index of the frame that ends at `to`, or -1. `between`: a frame may begin at `from`. */
export function frameStart(bytes: Uint8Array, from: number, to: number, between: boolean): number {
  let at = to - blankLine(bytes, from, to)
  for (at = bytes.lastIndexOf(LF, at - 1); at >= from; at = bytes.lastIndexOf(LF, at - 1)) {
    if (blankLine(bytes, from, at + 1) > 0) return at + 1
    if (at === 0) break
  }
  return between ? from : -1
}

/** Index of the JSON of a frame that has one data line, and that line last; else -1. */
export function jsonStart(bytes: Uint8Array, from: number, to: number): number {
  const end = to - blankLine(bytes, from, to)
  const start = Math.max(bytes.lastIndexOf(LF, end - 1) + 1, from)
  for (let at = from; at < start; at = bytes.indexOf(LF, at) + 1) if (bytes[at] === DATA[0]) return -1
  return DATA.every((byte, index) => bytes[start + index] === byte) ? start + DATA.length : -1
}

/** Length of the two line ends before `to`, or 0 when there is no blank line. */
function blankLine(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[to - 1] !== LF) return 0
  if (to - 2 >= from && bytes[to - 2] === LF) return 2
  if (to - 3 < from || bytes[to - 2] !== CR || bytes[to - 3] !== LF) return 0
  return to - 4 >= from && bytes[to - 4] === CR ? 4 : 3
}
