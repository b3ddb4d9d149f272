// CRC-32 as in zlib and the AWS event stream: polynomial 0xEDB88320, reflected. Four tables, four bytes a step.

const TABLES = buildTables()

function buildTables(): Uint32Array[] {
  const tables = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)]
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    tables[0]![byte] = value >>> 0
  }
  for (let level = 1; level < 4; level++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[level - 1]![byte]!
      tables[level]![byte] = ((before >>> 8) ^ tables[0]![before & 0xff]!) >>> 0
    }
  }
  return tables
}

const [T0, T1, T2, T3] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]

/** Checksum of a range. Pass an earlier result to continue it. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  let crc = ~before
  let at = start
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc = T3[crc & 0xff]! ^ T2[(crc >>> 8) & 0xff]! ^ T1[(crc >>> 16) & 0xff]! ^ T0[crc >>> 24]!
  }
  for (; at < end; at++) crc = T0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
