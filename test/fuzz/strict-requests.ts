// The strictest reader of requests there is: whatever the grammar of HTTP/1.1 does not allow ends it. It is the
// measure for what an acceptor may make of the same bytes. It shares no code with the product it judges.

export interface StrictRequest {
  readonly method: string
  readonly target: string
  readonly body: string
}

export interface StrictReading {
  readonly requests: readonly StrictRequest[]
  /** What stands behind the last request: nothing, the beginning of another, or something that is none. */
  readonly rest: 'nothing' | 'partial' | 'malformed'
}

const FIELD =
  /^([A-Za-z0-9!#$%&'*+\-.^_`|~]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/

interface Step {
  readonly request: StrictRequest
  readonly end: number
}

/** `bytes` one character per byte. */
export function readStrictly(bytes: string): StrictReading {
  const requests: StrictRequest[] = []
  let at = 0
  for (;;) {
    // Empty lines in front of a request are to be skipped, says the standard, and no reader starts anything there.
    while (bytes[at] === '\r' || bytes[at] === '\n') at += 1
    if (at >= bytes.length) break
    const step = readOne(bytes, at)
    if (typeof step === 'string') return { requests, rest: step }
    requests.push(step.request)
    at = step.end
  }
  return { requests, rest: 'nothing' }
}

function readOne(bytes: string, from: number): Step | 'partial' | 'malformed' {
  const headEnd = bytes.indexOf('\r\n\r\n', from)
  const head = bytes.slice(from, headEnd === -1 ? bytes.length : headEnd)
  const lines = head.split('\r\n')
  // Only the last line of an incomplete block can still become sound.
  const complete = headEnd === -1 ? lines.slice(0, -1) : lines
  if (/[\r\n\0]/.test(complete.join(''))) return 'malformed'
  if (headEnd === -1 && complete.length === 0) return 'partial'
  // The standard lets readers take several blanks for one here, and nowhere else.
  const line = /^(\S+) +(\S+) +HTTP\/1\.([01])$/.exec(complete[0]!)
  if (line === null || !/^[A-Z][A-Z_-]*$/.test(line[1]!) || !/^\/[\x21\x22\x24-\x7e]*$/.test(line[2]!))
    return 'malformed'
  const fields: [name: string, value: string][] = []
  for (const text of complete.slice(1)) {
    const field = FIELD.exec(text)
    if (field === null) return 'malformed'
    fields.push([field[1]!.toLowerCase(), field[2]!])
  }
  if (headEnd === -1) return 'partial'
  const length = framingOf(fields, line[3] === '1')
  if (length === 'malformed') return length
  const body = readBody(bytes, headEnd + 4, length)
  if (typeof body === 'string') return body
  return { request: { method: line[1]!, target: line[2]!, body: body.text }, end: body.end }
}

/** The announced length, null for chunks. */
function framingOf(
  fields: readonly [name: string, value: string][],
  isNew: boolean,
): number | null | 'malformed' {
  const valuesOf = (name: string): string[] =>
    fields.filter(field => field[0] === name).map(field => field[1])
  const [hosts, lengths, encodings] = [
    valuesOf('host'),
    valuesOf('content-length'),
    valuesOf('transfer-encoding'),
  ]
  if (hosts.length > 1 || (isNew && hosts.length === 0)) return 'malformed'
  if (hosts.some(host => /[^A-Za-z0-9._~!$&'()*+;=:[\]%-]/.test(host))) return 'malformed'
  if (lengths.length + encodings.length > 1) return 'malformed'
  if (encodings.length === 1) return isNew && /^chunked$/i.test(encodings[0]!) ? null : 'malformed'
  if (lengths.length === 0) return 0
  return /^\d{1,15}$/.test(lengths[0]!) ? Number(lengths[0]) : 'malformed'
}

interface Body {
  readonly text: string
  readonly end: number
}

function readBody(bytes: string, from: number, length: number | null): Body | 'partial' | 'malformed' {
  if (length !== null) {
    const end = from + length
    return end > bytes.length ? 'partial' : { text: bytes.slice(from, end), end }
  }
  let text = ''
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return 'partial'
    const size = /^([0-9a-fA-F]{1,12})(?:;[\t\x20-\x7e]*)?$/.exec(bytes.slice(at, lineEnd))
    if (size === null) return 'malformed'
    const bytesOfChunk = Number.parseInt(size[1]!, 16)
    at = lineEnd + 2
    if (bytesOfChunk === 0) return readTrailer(bytes, at, text)
    if (at + bytesOfChunk + 2 > bytes.length) return 'partial'
    text += bytes.slice(at, at + bytesOfChunk)
    at += bytesOfChunk
    if (bytes.slice(at, at + 2) !== '\r\n') return 'malformed'
    at += 2
  }
}

function readTrailer(bytes: string, from: number, text: string): Body | 'partial' | 'malformed' {
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return 'partial'
    if (lineEnd === at) return { text, end: at + 2 }
    if (!FIELD.test(bytes.slice(at, lineEnd))) return 'malformed'
    at = lineEnd + 2
  }
}
