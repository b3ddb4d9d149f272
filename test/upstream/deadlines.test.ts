// The sweep's arithmetic by itself, with a clock of our own.

import { describe, expect, test } from 'vitest'
import { type CallPhase, passedDeadline, type Timed } from '../../src/upstream/deadlines.ts'
import type { Deadlines } from '../../src/upstream/index.ts'

const LIMITS: Deadlines = {
  connectMs: 100,
  headersMs: 200,
  firstByteMs: 300,
  betweenBytesMs: 400,
  totalMs: 5_000,
}

class FakeCall implements Timed {
  phase: CallPhase
  paused = false
  touched = true
  sinceMs = 0
  bornMs = -1

  constructor(phase: CallPhase) {
    this.phase = phase
  }
}

describe('a deadline', () => {
  test.each([
    ['connect', 'connect', 100],
    ['headers', 'headers', 200],
    ['first-byte', 'first-byte', 300],
    ['body', 'between-bytes', 400],
  ] as const)('in phase %s is named %s and passes after its time, not before', (phase, name, limitMs) => {
    const call = new FakeCall(phase)
    expect(passedDeadline(call, LIMITS, 10_000)).toBeNull()
    expect(passedDeadline(call, LIMITS, 10_000 + limitMs)).toBeNull()
    expect(passedDeadline(call, LIMITS, 10_000 + limitMs + 1)).toBe(name)
  })

  test('begins anew with every sign of progress', () => {
    const call = new FakeCall('body')
    passedDeadline(call, LIMITS, 0)
    for (let nowMs = 350; nowMs < 4_900; nowMs += 350) {
      call.touched = true
      expect(passedDeadline(call, LIMITS, nowMs)).toBeNull()
    }
    expect(call.touched).toBe(false)
  })

  test('for the whole call passes in spite of progress and of pauses', () => {
    const call = new FakeCall('body')
    passedDeadline(call, LIMITS, 1_000)
    call.touched = true
    call.paused = true
    expect(passedDeadline(call, LIMITS, 6_000)).toBeNull()
    expect(passedDeadline(call, LIMITS, 6_001)).toBe('total')
  })

  test('stands still while we do not read, and begins anew afterwards', () => {
    const call = new FakeCall('body')
    passedDeadline(call, LIMITS, 0)
    call.paused = true
    expect(passedDeadline(call, LIMITS, 1_000)).toBeNull()
    call.paused = false
    expect(passedDeadline(call, LIMITS, 1_400)).toBeNull()
    expect(passedDeadline(call, LIMITS, 1_401)).toBe('between-bytes')
  })

  test('for a connection runs on while the caller pauses: nothing is read yet', () => {
    const call = new FakeCall('connect')
    call.paused = true
    passedDeadline(call, LIMITS, 0)
    expect(passedDeadline(call, LIMITS, 101)).toBe('connect')
  })

  test('of infinity never passes', () => {
    const call = new FakeCall('body')
    const never = { ...LIMITS, betweenBytesMs: Number.POSITIVE_INFINITY, totalMs: Number.POSITIVE_INFINITY }
    passedDeadline(call, never, 0)
    expect(passedDeadline(call, never, 1e12)).toBeNull()
  })
})
