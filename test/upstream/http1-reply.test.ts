// The reply parser by itself, without sockets.

import { describe, expect, test } from 'vitest'
import type { HeaderList } from '../../src/common/headers.ts'
import { type ReplyEvents, ReplyParser, type ReplyResult } from '../../src/upstream/http1-reply.ts'
import { HTTP1_ONLY_REPLIES, HTTP1_UNSOUND_REPLIES, SOUND_REPLIES, UNSOUND_REPLIES } from './replies.ts'

class Seen implements ReplyEvents {
  heads: string[] = []
  headers: HeaderList = []
  pieces = 0
  body = ''

  head(status: number, headers: HeaderList): void {
    this.heads.push(String(status))
    this.headers = headers
  }

  data(piece: Uint8Array): void {
    this.pieces += 1
    this.body += Buffer.from(piece).toString('latin1')
  }
}

interface Parsed {
  readonly seen: Seen
  readonly result: ReplyResult
  readonly parser: ReplyParser
}

function parse(pieces: readonly string[], bodiless = false): Parsed {
  const seen = new Seen()
  const parser = new ReplyParser(seen)
  parser.reset(bodiless)
  let result: ReplyResult = 'more'
  for (const piece of pieces) result = parser.push(Buffer.from(piece, 'latin1'))
  return { seen, result, parser }
}

/** What must not depend on how the bytes were cut. */
function essence({ seen, result, parser }: Parsed): unknown {
  const { keepAlive, problem } = parser
  return { heads: seen.heads, headers: seen.headers, body: seen.body, result, keepAlive, problem }
}

const SOUND = [...SOUND_REPLIES, ...HTTP1_ONLY_REPLIES]
const UNSOUND = [...UNSOUND_REPLIES, ...HTTP1_UNSOUND_REPLIES]

describe('a sound reply', () => {
  test.each(SOUND)('with $name is read', reply => {
    const parsed = parse([reply.raw], reply.method === 'HEAD')
    expect(parsed.seen.heads).toEqual([String(reply.status)])
    expect(parsed.seen.body).toBe(reply.body)
    expect(parsed.result).toBe(reply.untilClose === true ? 'more' : 'done')
    expect(parsed.parser.finish()).toBe('done')
    expect(parsed.parser.keepAlive).toBe(reply.reusable)
    expect(parsed.parser.surplus).toBe(0)
  })

  test.each(SOUND)('with $name gives the same whichever two pieces it comes in', reply => {
    const bodiless = reply.method === 'HEAD'
    const whole = essence(parse([reply.raw], bodiless))
    for (let cut = 1; cut < reply.raw.length; cut++) {
      expect(essence(parse([reply.raw.slice(0, cut), reply.raw.slice(cut)], bodiless))).toEqual(whole)
    }
  })

  test('keeps the order, the duplicates and the spelling of values, and lowers names', () => {
    const { seen } = parse([
      'HTTP/1.1 200 OK\r\nSet-Cookie: A=1\r\nX-One:  two  words \r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n',
    ])
    expect(seen.headers).toEqual([
      'set-cookie',
      'A=1',
      'x-one',
      'two  words',
      'set-cookie',
      'b=2',
      'content-length',
      '0',
    ])
  })

  test('hands many chunks of one read on as one piece', () => {
    const frames = Array.from({ length: 50 }, (_, at) => `data: ${at}\n\n`)
    const chunks = frames.map(frame => `${frame.length.toString(16)}\r\n${frame}\r\n`).join('')
    const { seen } = parse([`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`])
    expect(seen.body).toBe(frames.join(''))
    expect(seen.pieces).toBe(1)
  })

  test('ends where its framing says, and what follows is counted as surplus', () => {
    const { parser, result, seen } = parse([
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n',
    ])
    expect(result).toBe('done')
    expect(seen.body).toBe('ok')
    expect(parser.surplus).toBe('HTTP/1.1 200 OK\r\n'.length)
  })

  test('says how long the connection is kept', () => {
    const { parser } = parse([
      'HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=100\r\ncontent-length: 0\r\n\r\n',
    ])
    expect(parser.keepAliveMs).toBe(5_000)
  })

  test('is incomplete when the connection ends inside it', () => {
    expect(parse(['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell']).parser.finish()).toBe('broken')
    expect(
      parse(['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n']).parser.finish(),
    ).toBe('broken')
    expect(parse(['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n']).parser.finish()).toBe(
      'broken',
    )
    expect(parse(['HTTP/1.1 200 OK\r\n']).parser.finish()).toBe('broken')
    expect(parse([]).parser.finish()).toBe('broken')
  })
})

describe('an unsound reply', () => {
  test.each(UNSOUND)('($name) is refused, with a reason', reply => {
    const { parser, result } = parse([reply.raw])
    expect(result).toBe('broken')
    expect(parser.problem).not.toBe('')
    expect(parser.push(Buffer.from('more'))).toBe('broken')
  })

  test.each(UNSOUND)('($name) is refused whichever two pieces it comes in', reply => {
    const step = Math.max(1, Math.floor(reply.raw.length / 400))
    for (let cut = 1; cut < reply.raw.length; cut += step) {
      expect(parse([reply.raw.slice(0, cut), reply.raw.slice(cut)]).result).toBe('broken')
    }
  })

  test('never gets far with a header block that does not end', () => {
    const seen = new Seen()
    const parser = new ReplyParser(seen, 1_000)
    parser.reset(false)
    let result: ReplyResult = parser.push(Buffer.from('HTTP/1.1 200 OK\r\n'))
    let bytes = 17
    while (result === 'more' && bytes < 10_000) {
      result = parser.push(Buffer.from('x: y\r\n'))
      bytes += 6
    }
    expect(result).toBe('broken')
    expect(bytes).toBeLessThan(1_020)
    expect(parser.problem).toContain('1000 bytes')
  })

  test('is refused at once when it does not begin like HTTP, without waiting for a line', () => {
    expect(parse(['HTP']).result).toBe('broken')
    expect(parse(['H', 'T', 'T', 'X']).result).toBe('broken')
  })
})

describe('the parser', () => {
  test('is silent after it was stopped in the middle of a piece', () => {
    const seen = new Seen()
    const parser: ReplyParser = new ReplyParser({
      head: (status, headers) => {
        seen.head(status, headers)
        parser.stop()
      },
      data: piece => seen.data(piece),
    })
    parser.reset(false)
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'))
    expect(seen.heads).toEqual(['200'])
    expect(seen.pieces).toBe(0)
  })

  test('reads only as many bytes as it is told', () => {
    const seen = new Seen()
    const parser = new ReplyParser(seen)
    parser.reset(false)
    const reply = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello')
    const buffer = Buffer.concat([reply, Buffer.from('stale bytes\r\n\r\n of an earlier read')])
    expect(parser.push(buffer, reply.length)).toBe('done')
    expect(parser.surplus).toBe(0)
    expect(seen.body).toBe('hello')
  })
})
