// A reader that pauses stops its own upstream and nobody else’s.

import { expect, test } from 'vitest'
import { until } from '../../support/fake-upstream/index.ts'
import { STREAM, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function backPressure(bench: Bench): void {
  /** Kernel buffers of both sides on loopback, and what one read may carry. */
  const IN_FLIGHT_BYTES_MAX = 12 * 1024 * 1024

  test('stops the upstream of a paused call, and only that', async () => {
    const { client, upstream } = bench
    const paused = send(
      client,
      chat(upstream.origin, 'neverEnding;frames=50;frameBytes=2000', STREAM),
      call => {
        call.keepsBytes = false
        call.onData = () => call.call!.pause()
      },
    )
    await until('the upstream is stalled', () => upstream.requests[0]?.stalled === true)
    const { bytes } = paused
    const { bytesSent } = upstream.requests[0]!
    const beside = await run(client, chat(upstream.origin, 'frames=500;frameBytes=2000', STREAM))
    expect(beside.outcome).toBe('200 ended')
    expect(paused.bytes).toBe(bytes)
    expect(upstream.requests[0]!.bytesSent).toBe(bytesSent)
    expect(bytesSent).toBeLessThan(IN_FLIGHT_BYTES_MAX)
    paused.onData = null
    paused.call!.resume()
    await until('it flows again', () => upstream.requests[0]!.bytesSent > bytesSent + IN_FLIGHT_BYTES_MAX)
    paused.abort()
    await until('the upstream saw it', () => upstream.requests[0]!.aborted)
  })

  test('holds while a reader takes a piece now and then, and loses nothing', async () => {
    const { client, upstream } = bench
    const request = chat(upstream.origin, 'frames=2000;frameBytes=500', STREAM)
    const whole = await run(client, request)
    let pauses = 0
    const slow = send(client, request, call => {
      call.onData = () => {
        call.call!.pause()
        pauses += 1
        setTimeout(() => call.call!.resume(), 1)
      }
    })
    await slow.over
    expect(slow.outcome).toBe('200 ended')
    expect(pauses).toBeGreaterThan(3)
    expect(slow.text.replaceAll(/fake\d+/g, '')).toBe(whole.text.replaceAll(/fake\d+/g, ''))
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
  })

  test('asked for before the reply holds the reply', async () => {
    const { client, upstream } = bench
    const reply = send(
      client,
      chat(upstream.origin, 'delayBeforeHeadersMs=30;delayBeforeBodyMs=30'),
      call => {
        call.onHead = () => call.call!.pause()
      },
    )
    await until('the head is here', () => reply.status === 200)
    await new Promise(resolve => setTimeout(resolve, 80))
    expect(reply.bytes).toBe(0)
    reply.call!.resume()
    await reply.over
    expect(reply.outcome).toBe('200 ended')
  })
}
