// Raw replies, sound and unsound, for the parser and for both clients. Each unsound one could make two readers
// disagree about where a reply ends, or has no end at all.

export interface RawReply {
  readonly name: string
  readonly raw: string
}

export interface SoundReply extends RawReply {
  readonly status: number
  readonly body: string
  /** The connection may be used again. */
  readonly reusable: boolean
  /** Ends with the connection. */
  readonly untilClose?: boolean
  readonly method?: 'HEAD'
}

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'

export const SOUND_REPLIES: readonly SoundReply[] = [
  {
    name: 'a length',
    raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello',
    status: 200,
    body: 'hello',
    reusable: true,
  },
  {
    name: 'a length of zero',
    raw: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    status: 200,
    body: '',
    reusable: true,
  },
  {
    name: 'a length in front of another field',
    raw: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: 'chunks',
    raw: `${CHUNKED}5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n`,
    status: 200,
    body: 'hello world',
    reusable: true,
  },
  {
    name: 'chunk sizes in capitals, with zeros in front and with extensions',
    raw: `${CHUNKED}00A;name=value;other="q"\r\n0123456789\r\nb;x\r\nhello world\r\n0;last\r\n\r\n`,
    status: 200,
    body: '0123456789hello world',
    reusable: true,
  },
  {
    name: 'trailers',
    raw: `${CHUNKED}2\r\nok\r\n0\r\nx-checksum: 1\r\nx-other: 2\r\n\r\n`,
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: 'chunks that hold line ends',
    raw: `${CHUNKED}6\r\n\r\n0\r\n\r\r\n3\r\n\n\r\n\r\n0\r\n\r\n`,
    status: 200,
    body: '\r\n0\r\n\r\n\r\n',
    reusable: true,
  },
  {
    name: 'no framing: until close',
    raw: 'HTTP/1.1 200 OK\r\nx: y\r\n\r\nall of it',
    status: 200,
    body: 'all of it',
    reusable: false,
    untilClose: true,
  },
  {
    name: 'HTTP/1.0 until close',
    raw: 'HTTP/1.0 200 OK\r\n\r\nold',
    status: 200,
    body: 'old',
    reusable: false,
    untilClose: true,
  },
  {
    name: 'HTTP/1.0 with a length',
    raw: 'HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nold',
    status: 200,
    body: 'old',
    reusable: false,
  },
  {
    name: 'connection: close',
    raw: 'HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: false,
  },
  { name: '204', raw: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: '', reusable: true },
  {
    name: 'an interim reply before the final one',
    raw: 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: 'an empty reason',
    raw: 'HTTP/1.1 429 \r\ncontent-length: 2\r\n\r\n{}',
    status: 429,
    body: '{}',
    reusable: true,
  },
  {
    name: 'odd but sound values',
    raw: 'HTTP/1.1 200 OK\r\nx-empty:\r\nx-blank: \t \r\nx-text: a:b, "c"\t\u00e9 \r\ncontent-length:2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
]

/** Only the hand-written parser takes these; undici refuses them, which is safe too. */
export const HTTP1_ONLY_REPLIES: readonly SoundReply[] = [
  {
    name: '304 with a length that is not sent',
    raw: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n',
    status: 304,
    body: '',
    reusable: true,
  },
  {
    name: 'a blank between a chunk size and its extension',
    raw: `${CHUNKED}2 ;x\r\nok\r\n0\r\n\r\n`,
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: '100 continue that nobody asked for',
    raw: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: 'no reason at all',
    raw: 'HTTP/1.1 500\r\ncontent-length: 2\r\n\r\n{}',
    status: 500,
    body: '{}',
    reusable: true,
  },
  {
    name: 'the same length said twice',
    raw: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
  {
    name: 'HEAD',
    raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n',
    status: 200,
    body: '',
    reusable: true,
    method: 'HEAD',
  },
]

const HEAD = 'HTTP/1.1 200 OK\r\n'

export const UNSOUND_REPLIES: readonly RawReply[] = [
  { name: 'no HTTP', raw: 'SSH-2.0-OpenSSH_9.6\r\n\r\n' },
  { name: 'TLS bytes', raw: '\u0015\u0003\u0001\u0000\u0002\u0002\u0028' },
  { name: 'HTTP/2', raw: 'HTTP/2 200 OK\r\n\r\n' },
  { name: 'HTTP/1.2', raw: 'HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n' },
  { name: 'a status of two digits', raw: 'HTTP/1.1 20 OK\r\n\r\n' },
  { name: 'a status of four digits', raw: 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n' },
  { name: 'a status of letters', raw: 'HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n' },
  {
    name: 'both length and chunks',
    raw: `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'both chunks and length',
    raw: `${HEAD}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`,
  },
  { name: 'two lengths that differ', raw: `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!` },
  { name: 'a list of lengths', raw: `${HEAD}content-length: 5, 6\r\n\r\nhello!` },
  { name: 'a negative length', raw: `${HEAD}content-length: -5\r\n\r\n` },
  { name: 'a length with a sign', raw: `${HEAD}content-length: +5\r\n\r\nhello` },
  { name: 'a hexadecimal length', raw: `${HEAD}content-length: 0x5\r\n\r\nhello` },
  { name: 'a length beyond counting', raw: `${HEAD}content-length: 99999999999999999999\r\n\r\nhello` },
  { name: 'a chunk size that is no number', raw: `${CHUNKED}xyz\r\nhello\r\n0\r\n\r\n` },
  { name: 'an empty chunk size', raw: `${CHUNKED}\r\nhello\r\n0\r\n\r\n` },
  { name: 'a negative chunk size', raw: `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n` },
  { name: 'a chunk size with 0x', raw: `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n` },
  { name: 'a chunk size beyond counting', raw: `${CHUNKED}fffffffffffffffff\r\nhello\r\n0\r\n\r\n` },
  { name: 'a chunk longer than its size', raw: `${CHUNKED}4\r\nhello\r\n0\r\n\r\n` },
  { name: 'a chunk that ends in LF', raw: `${CHUNKED}5\r\nhello\n0\r\n\r\n` },
  { name: 'a space before the colon', raw: `${HEAD}content-length : 5\r\n\r\nhello` },
  { name: 'a folded field', raw: `${HEAD}x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello` },
  { name: 'a field without a colon', raw: `${HEAD}nonsense\r\ncontent-length: 5\r\n\r\nhello` },
  { name: 'a field without a name', raw: `${HEAD}: value\r\ncontent-length: 5\r\n\r\nhello` },
  { name: 'a NUL in a value', raw: `${HEAD}x: a\u0000b\r\ncontent-length: 5\r\n\r\nhello` },
  { name: 'a bare CR in a value', raw: `${HEAD}x: a\rb\r\ncontent-length: 5\r\n\r\nhello` },
]

/** Looser parsers take these (undici's among them); the hand-written one does not. */
export const HTTP1_UNSOUND_REPLIES: readonly RawReply[] = [
  { name: 'bare LF line ends', raw: 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello' },
  { name: 'a bare LF in a value', raw: `${HEAD}x: a\nb: c\r\ncontent-length: 5\r\n\r\nhello` },
  { name: 'a coding besides chunked', raw: `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { name: 'an unknown coding', raw: `${HEAD}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n` },
  {
    name: 'chunked twice',
    raw: `${HEAD}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  { name: 'chunks in HTTP/1.0', raw: 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n' },
  { name: 'a chunk-size line without end', raw: `${CHUNKED}5;${'x'.repeat(300)}` },
  { name: 'a chunk-size line that ends in LF', raw: `${CHUNKED}5\nhello\r\n0\r\n\r\n` },
  { name: 'a control character in a chunk extension', raw: `${CHUNKED}5;a\u0001\r\nhello\r\n0\r\n\r\n` },
  { name: 'a trailer that ends in LF', raw: `${CHUNKED}0\r\nx: y\n\r\n` },
  { name: 'a bare CR in a trailer', raw: `${CHUNKED}0\r\nx: y\rz\r\n\r\n` },
  { name: 'trailers without end', raw: `${CHUNKED}0\r\n${'x: y\r\n'.repeat(4_000)}` },
  { name: 'a switch of protocols', raw: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n' },
  { name: 'interim replies without end', raw: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40) },
]
