import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Framing, readFraming, requestLineFault } from '../../src/acceptor/checks.ts'
import { findBinary, loadNative } from '../../src/acceptor/native.ts'
import { portSharing } from '../../src/acceptor/index.ts'
import { addressText, plainAddress } from '../../src/acceptor/remote-address.ts'
import { fieldLines, ownFieldsRemoved, statusLine } from '../../src/acceptor/reply-head.ts'

describe('the framing of a header block', () => {
  const read = (headers: readonly string[], minor: 0 | 1 = 1): Framing | string => {
    const framing = new Framing()
    return readFraming(headers, minor, framing)?.message ?? framing
  }
  const HOST = ['host', 'h']

  test('has no body without a field that announces one', () => {
    expect(read(HOST)).toMatchObject({ contentLength: 0, close: false, expectContinue: false })
  })

  test('takes a length or chunks, in any letters', () => {
    expect(read([...HOST, 'content-length', '0012'])).toMatchObject({ contentLength: 12 })
    expect(read([...HOST, 'transfer-encoding', 'chunked'])).toMatchObject({ contentLength: null })
    expect(read([...HOST, 'transfer-encoding', 'CHUNKED'])).toMatchObject({ contentLength: null })
  })

  test('knows who wants the connection closed', () => {
    expect(read([...HOST, 'connection', 'close'])).toMatchObject({ close: true })
    expect(read([...HOST, 'connection', 'te, Close'])).toMatchObject({ close: true })
    expect(read([...HOST, 'connection', 'enclose'])).toMatchObject({ close: false })
    expect(read([...HOST, 'connection', 'keep-alive'], 0)).toMatchObject({ close: false })
    expect(read([], 0)).toMatchObject({ close: true })
  })

  test('knows who waits for leave to send', () => {
    expect(read([...HOST, 'expect', '100-Continue'])).toMatchObject({ expectContinue: true })
    expect(read(['expect', '100-continue'], 0)).toMatchObject({ expectContinue: false })
  })

  test.each([
    [['content-length', '9007199254740993'], 'at most 15 digits'],
    [['content-length', '3', 'transfer-encoding', 'chunked'], 'both'],
    [['content-length', '3', 'content-length', '3'], 'more than one Content-Length'],
    [['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'], 'more than one Transfer-Encoding'],
    [['transfer-encoding', 'chunked '], 'only Transfer-Encoding'],
    [['x', 'a\u0000b'], 'control character'],
    [['host', 'i'], 'more than one Host'],
  ])('refuses %j', (fields, reason) => {
    expect(read([...HOST, ...fields])).toContain(reason)
  })

  test('wants a Host from HTTP/1.1 and no chunks from HTTP/1.0', () => {
    expect(read([])).toContain('no Host')
    expect(read(['transfer-encoding', 'chunked'], 0)).toContain('HTTP/1.0')
    expect(read([], 0)).toBeInstanceOf(Framing)
  })
})

test('a request line needs an upper-case word and a path', () => {
  for (const target of ['/', '/a?b=c%20', '//x', "/a!$&'()*+,;=:@"])
    expect(requestLineFault('GET', target)).toBeNull()
  for (const target of ['', '*', 'http://h/', 'h:80', '/a b', '/a#b', '/\xe9', '/\0']) {
    expect(requestLineFault('GET', target)?.kind, target).toBe('bad-request')
  }
  for (const method of ['', 'get', 'G T', 'G\0T', 'X'.repeat(40)]) {
    expect(requestLineFault(method, '/')?.kind, method).toBe('bad-request')
  }
})

describe('the head of a reply', () => {
  test('has a reason phrase for every status', () => {
    expect(statusLine(200)).toBe('200 OK')
    expect(statusLine(529)).toBe('529 Unknown')
    expect(() => statusLine(99)).toThrow()
    expect(() => statusLine(200.5)).toThrow()
  })

  test('leaves out what is the acceptor’s own and refuses what would split it', () => {
    const fields = ['x-a', '1', 'connection', 'close', 'content-length', '3', 'date', 'x', 'x-b', '']
    expect(fieldLines(fields)).toBe('\r\nx-a: 1\r\nx-b: ')
    expect(ownFieldsRemoved(fields)).toEqual(['x-a', '1', 'x-b', ''])
    for (const field of [
      ['x-a', 'a\r\nb'],
      ['x-a', 'a\u010a'],
      ['x-a', '\0'],
    ]) {
      expect(() => fieldLines(field)).toThrow()
      expect(() => ownFieldsRemoved(field)).toThrow()
    }
    expect(() => fieldLines(['x a', 'b'])).toThrow()
  })
})

test('addresses are shown without the dress of IPv6 where they are IPv4', () => {
  const six = (...groups: readonly number[]): Uint8Array =>
    Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff]))
  expect(addressText(Uint8Array.of(127, 0, 0, 1))).toBe('127.0.0.1')
  expect(addressText(six(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1))).toBe('127.0.0.1')
  expect(addressText(six(0, 0, 0, 0, 0, 0, 0, 1))).toBe('::1')
  expect(addressText(six(0x2001, 0xdb8, 0, 0, 1, 0, 0, 0))).toBe('2001:db8:0:0:1::')
  expect(addressText(six(0x2001, 0xdb8, 0, 1, 1, 1, 0, 1))).toBe('2001:db8:0:1:1:1:0:1')
  expect(addressText(new Uint8Array(0))).toBe('')
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1')
  expect(plainAddress('::1')).toBe('::1')
  expect(plainAddress(undefined)).toBe('')
})

test('threads can share a port with the native server, and with Node from the versions that learned it', () => {
  expect(portSharing('uws')).toBe(true)
  expect(
    ['20.19.0', '22.11.0', '22.12.0', '23.0.0', '23.1.0', '24.0.0'].map(v => portSharing('node', v)),
  ).toEqual([...[false, false, true, false, true, true]])
})

test('the binary is found in the layout of either package, and only the one for this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-native-'))
  const { platform, arch, versions } = process
  const binary = `uws_${platform}_${arch}_${versions.modules}.node`
  mkdirSync(join(folder, 'official'))
  mkdirSync(join(folder, 'unofficial/src'), { recursive: true })
  mkdirSync(join(folder, 'unofficial/binaries'))
  const official = join(folder, 'official', binary)
  const unofficial = join(folder, 'unofficial/binaries', binary)
  writeFileSync(join(folder, 'official', `uws_${platform}_${arch}_1.node`), '')
  expect(findBinary(join(folder, 'official/uws.js'))).toBeNull()
  for (const path of [official, unofficial]) writeFileSync(path, '')
  expect(findBinary(join(folder, 'official/uws.js'))).toBe(official)
  expect(findBinary(join(folder, 'unofficial/src/uws.js'))).toBe(unofficial)
  rmSync(folder, { recursive: true })
})

test.runIf(process.versions.node.startsWith('20.'))('the native server loads on Node 20', () => {
  const native = loadNative()
  expect(Function.prototype.toString.call(native.App)).toContain('[native code]')
})
