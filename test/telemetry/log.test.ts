// Log lines: how they look, how they travel, and that nobody ever waits for them.

import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type LineBatch, LineQueue, Log, LogWriter, readLogLevel } from '../../src/telemetry/index.ts'
import { CLOCK } from './support.ts'

describe('LOG_LEVEL', () => {
  test('is info when nothing is said', () => {
    expect(readLogLevel(undefined)).toEqual({ level: 'info', fault: null })
    expect(readLogLevel('')).toEqual({ level: 'info', fault: null })
  })

  test('is read in any case, with the words of other loggers', () => {
    expect(readLogLevel(' WARN ').level).toBe('warn')
    expect(readLogLevel('trace').level).toBe('debug')
    expect(readLogLevel('off').level).toBe('silent')
  })

  test('that nobody knows is named and replaced', () => {
    const { level, fault } = readLogLevel('chatty')
    expect(level).toBe('info')
    expect(fault).toMatch(/LOG_LEVEL is not one of debug, info/)
  })
})

describe('a line', () => {
  test('is one JSON object whatever the values hold', () => {
    const lines: string[] = []
    const log = new Log('info', CLOCK, { shard: '"\n' }, line => lines.push(line))
    log.write('warn', 'a "b"\nc', { text: '\u2028\u0000', number: 1.5, none: null, flag: false })
    expect(lines[0]).not.toContain('\n')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      msg: 'a "b"\nc',
      shard: '"\n',
      text: '\u2028\u0000',
      number: 1.5,
      flag: false,
    })
    expect(lines[0]).not.toContain('none')
  })

  test('is bounded', () => {
    const lines: string[] = []
    new Log('info', CLOCK, {}, line => lines.push(line)).write('info', 'x'.repeat(1_000_000))
    expect(lines[0]!.length).toBeLessThan(5_000)
  })

  test('below the level is not even written', () => {
    const log = new Log('silent', CLOCK, {}, () => expect.unreachable())
    log.write('error', 'nobody hears this')
    expect(log.enabled('silent')).toBe(false)
  })
})

describe('lines on their way', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('travel in batches, in order', () => {
    const sent: LineBatch[] = []
    const queue = new LineQueue(batch => sent.push(batch))
    for (let at = 0; at < 10; at += 1) queue.add(`line ${at}`)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(50)
    expect(sent).toHaveLength(1)
    expect(sent[0]).toEqual({
      lines: 10,
      text: Array.from({ length: 10 }, (_, at) => `line ${at}\n`).join(''),
    })
  })

  test('stop at the window while the log takes nothing, and are dropped and counted beyond the bound', () => {
    const sent: LineBatch[] = []
    const queue = new LineQueue(batch => sent.push(batch))
    const line = 'x'.repeat(1_000)
    for (let at = 0; at < 2_000; at += 1) {
      queue.add(line)
      vi.advanceTimersByTime(1)
    }
    expect(sent.length).toBe(4)
    const held = sent.reduce((total, batch) => total + batch.lines, 0)
    expect(queue.dropped).toBeGreaterThan(1_000)
    // Nothing is lost without being counted: what was neither sent nor dropped still waits.
    expect(2_000 - held - queue.dropped).toBe(Math.floor((512 * 1024) / 1_000))
  })

  test('go on when the log takes them again', () => {
    const sent: LineBatch[] = []
    const queue = new LineQueue(batch => sent.push(batch))
    const line = 'x'.repeat(40_000)
    for (let at = 0; at < 6; at += 1) queue.add(line)
    expect(sent).toHaveLength(4)
    queue.taken()
    vi.advanceTimersByTime(50)
    expect(sent).toHaveLength(5)
    expect(sent[4]!.lines).toBe(2)
    expect(queue.dropped).toBe(0)
  })

  test('leave at once when a shard ends', () => {
    const sent: LineBatch[] = []
    const queue = new LineQueue(batch => sent.push(batch))
    queue.add('last words')
    queue.flush(true)
    expect(sent).toEqual([{ text: 'last words\n', lines: 1 }])
  })
})

describe('the end of the log', () => {
  test('drops lines for a reader that takes nothing, counts them, and answers every batch', () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => {} })
    const writer = new LogWriter(stuck)
    let answered = 0
    const text = `${'x'.repeat(9_999)}\n`
    for (let at = 0; at < 1_000; at += 1) writer.write(text, 1, () => (answered += 1))
    // One megabyte waits, the rest is gone: about 105 batches of 10 KB.
    expect(writer.dropped).toBeGreaterThan(890)
    expect(answered).toBe(writer.dropped)
    expect(stuck.writableLength).toBeLessThan(1.1 * 1024 * 1024)
  })

  test('survives a reader that goes away', async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    })
    const writer = new LogWriter(broken)
    let answered = 0
    writer.write('a\n', 1, () => (answered += 1))
    await new Promise(done => setImmediate(done))
    writer.write('b\n', 1, () => (answered += 1))
    expect(writer.dropped).toBe(2)
    expect(answered).toBe(2)
    expect(await writer.drained(1_000)).toBe(true)
  })

  test('can be waited for, within a bound', async () => {
    const out = new PassThrough()
    const writer = new LogWriter(out)
    writer.write('line\n', 1)
    expect(await writer.drained(1_000)).toBe(true)
    expect(String(out.read())).toBe('line\n')
    const stuck = new LogWriter(new Writable({ highWaterMark: 1, write: () => {} }))
    stuck.write('line\n', 1)
    const startMs = performance.now()
    expect(await stuck.drained(30)).toBe(false)
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })
})
