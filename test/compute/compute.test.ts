// The pool as a shard sees it: what it answers, what it answers when it cannot, and that it leaves nothing behind.

import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/common/clock.ts'
import { GatewayError } from '../../src/common/errors.ts'
import {
  type Compute,
  type ComputeOptions,
  COUNT_BYTES_MAX,
  createCompute,
  estimateTokens,
  loadedEncodings,
} from '../../src/compute/index.ts'
import { Pool } from '../../src/compute/pool.ts'
import { TranslateError, targetFacts, translatePrompt } from '../../src/translate/index.ts'
import { misbehavingWorker, WORKER_URL } from './threads.ts'

const misbehaving = misbehavingWorker()
const open: Compute[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(compute => compute.close()))
})
afterAll(() => misbehaving.remove())

function start(options: Partial<ComputeOptions> = {}): Compute {
  const compute = createCompute({ workerUrl: WORKER_URL, warmAfterMs: null, ...options })
  open.push(compute)
  return compute
}

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const HELLO = bytesOf({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] })
const BYTES = new Uint8Array(400)
const GUESS = { tokens: 100, estimated: true, encoding: 'bytes' }
const CLAUDE = targetFacts('claude-x', 'anthropic')

async function until(truth: () => boolean): Promise<void> {
  while (!truth()) await new Promise(resolve => setTimeout(resolve, 5))
}

describe('a count', () => {
  test('comes from the pool, and no rank table is loaded here', async () => {
    const compute = start()
    expect(await compute.countTokens('gpt-4o', 'openai-chat', HELLO)).toEqual({
      tokens: 8,
      estimated: false,
      encoding: 'o200k_base',
    })
    expect(await compute.countTokens('gpt-4', 'openai-chat', HELLO)).toMatchObject({
      encoding: 'cl100k_base',
    })
    expect(loadedEncodings()).toEqual([])
    expect(compute.facts()).toMatchObject({ counted: 2, fallbacks: 0, queued: 0, running: 0 })
  })

  test('leaves the caller its bytes, also those of a Buffer out of a larger one', async () => {
    const compute = start()
    const large = Buffer.concat([Buffer.from('xxxx'), HELLO, Buffer.from('yyyy')])
    const view = large.subarray(4, 4 + HELLO.length)
    expect((await compute.countTokens('gpt-4o', 'openai-chat', view)).tokens).toBe(8)
    expect(view.toString()).toBe(Buffer.from(HELLO).toString())
    expect(HELLO.length).toBeGreaterThan(0)
  })

  test('of a body larger than any model reads is guessed without asking', async () => {
    const compute = start()
    const body = new Uint8Array(COUNT_BYTES_MAX + 1)
    const tokens = estimateTokens(body.length)
    expect(await compute.countTokens('gpt-4o', 'openai-chat', body)).toEqual({ ...GUESS, tokens })
    expect(compute.facts().fallbacks).toBe(1)
  })

  test('beyond the queue is guessed at once, and the queue is served', async () => {
    const compute = start({ workerUrl: misbehaving.url, queueMax: 2 })
    const counts = Array.from({ length: 5 }, () => compute.countTokens('wait:50', 'openai-chat', BYTES))
    expect(compute.facts()).toMatchObject({ running: 1, queued: 2, fallbacks: 2 })
    const encodings = (await Promise.all(counts)).map(count => count.encoding)
    expect(encodings).toEqual(['test', 'test', 'test', 'bytes', 'bytes'])
    expect(compute.facts()).toMatchObject({ running: 0, queued: 0, counted: 3, fallbacks: 2 })
  })

  test('beyond the bytes that may wait is guessed at once', async () => {
    const compute = start({ workerUrl: misbehaving.url, queueBytesMax: 1_000 })
    const counts = Array.from({ length: 3 }, () => compute.countTokens('wait:20', 'openai-chat', BYTES))
    expect((await Promise.all(counts)).map(count => count.encoding)).toEqual(['test', 'test', 'bytes'])
  })

  test('that takes too long is guessed, and its place is free only when it is done', async () => {
    const compute = start({ workerUrl: misbehaving.url, countWaitMsMax: 2_000 })
    await compute.countTokens('ready', 'openai-chat', BYTES)
    expect(await compute.countTokens('wait:3000', 'openai-chat', BYTES)).toEqual(GUESS)
    expect(compute.facts()).toMatchObject({ running: 1, fallbacks: 1 })
    await until(() => compute.facts().running === 0)
    expect(compute.facts()).toMatchObject({ counted: 1, fallbacks: 1 })
  })
})

describe('a pool that fails', () => {
  test('by throwing guesses that count only', async () => {
    const compute = start({ workerUrl: misbehaving.url })
    const counts = ['a', 'throw', 'b'].map(model => compute.countTokens(model, 'openai-chat', BYTES))
    expect((await Promise.all(counts)).map(count => count.encoding)).toEqual(['test', 'bytes', 'test'])
  })

  test.each(['exit', 'fill'])(
    'by a thread that dies (%s) loses that count only',
    { timeout: 60_000 },
    async how => {
      const compute = start({ workerUrl: misbehaving.url, countWaitMsMax: 50_000 })
      const counts = ['a', how, 'b'].map(model => compute.countTokens(model, 'openai-chat', BYTES))
      expect((await Promise.all(counts)).map(count => count.encoding)).toEqual(['test', 'bytes', 'test'])
      expect(await compute.countTokens('c', 'openai-chat', BYTES)).toMatchObject({ encoding: 'test' })
    },
  )

  test('to start answers everyone at once, says why, rests, and tries again', async () => {
    let nowMs = 1_000
    const clock: Clock = { monotonicMs: () => nowMs, epochMs: () => 0 }
    const faults: unknown[] = []
    const compute = start({
      workerUrl: new URL('nowhere.js', misbehaving.url),
      clock,
      onFault: fault => faults.push(fault),
    })
    const ask = (): Promise<unknown> => compute.countTokens('a', 'openai-chat', BYTES)
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([GUESS, GUESS, GUESS])
    await until(() => faults.length > 0)
    expect(String(faults[0])).toMatch(/nowhere\.js/)
    const before = faults.length
    expect(await ask()).toEqual(GUESS)
    await expect(
      compute.translatePrompt('openai-chat', 'anthropic-messages', HELLO, CLAUDE, false),
    ).rejects.toThrow(GatewayError)
    expect(faults.length).toBe(before)
    nowMs += 60_000
    expect(await ask()).toEqual(GUESS)
    await until(() => faults.length > before)
  })
})

describe('a translation', () => {
  test('is what the leaf makes of it here', async () => {
    const compute = start()
    const here = translatePrompt('openai-chat', 'anthropic-messages', HELLO, CLAUDE, false)
    const there = await compute.translatePrompt('openai-chat', 'anthropic-messages', HELLO, CLAUDE, false)
    expect(there).toEqual(here)
    expect(there.context.names.toClient('a')).toEqual({ name: 'a', namespace: null })
    expect(HELLO.length).toBeGreaterThan(0)
  })

  test('takes along the pictures that were fetched for it', async () => {
    const compute = start()
    const url = 'https://pictures.example/a'
    const content = [{ type: 'image_url', image_url: { url } }]
    const body = bytesOf({ model: 'm', messages: [{ role: 'user', content }] })
    const images = [{ url, mime: 'image/png', base64: 'iVBORw0KGgo=' }]
    const wish = ['openai-chat', 'anthropic-messages', body, CLAUDE, false, null, images] as const
    const there = await compute.translatePrompt(...wish)
    expect(there.body).toEqual(translatePrompt(...wish).body)
    expect(Buffer.from(there.body).toString()).toContain('"data":"iVBORw0KGgo="')
  })

  test('is refused with the error the leaf throws here', async () => {
    const compute = start()
    const body = bytesOf({ model: 'm', messages: 7 })
    const ask = (): Promise<unknown> =>
      compute.translatePrompt('openai-chat', 'anthropic-messages', body, CLAUDE, false)
    let here: unknown
    try {
      translatePrompt('openai-chat', 'anthropic-messages', body, CLAUDE, false)
    } catch (thrown) {
      here = thrown
    }
    const there = await ask().catch((thrown: unknown) => thrown)
    expect(there).toBeInstanceOf(TranslateError)
    expect((there as TranslateError).reply).toEqual((here as TranslateError).reply)
  })

  test('beyond the queue is refused with a time to come back', async () => {
    const compute = start({ workerUrl: misbehaving.url, queueMax: 0 })
    const count = compute.countTokens('wait:50', 'openai-chat', BYTES)
    const refused = compute.translatePrompt('openai-chat', 'anthropic-messages', HELLO, CLAUDE, false)
    await expect(refused).rejects.toMatchObject({ kind: 'overloaded', retryAfterMs: 1_000 })
    await count
    expect(compute.facts().refused).toBe(1)
  })
})

test('a translation that its thread cannot hold is refused as too large', { timeout: 60_000 }, async () => {
  const compute = start({ workerUrl: misbehaving.url })
  const filling = targetFacts('fill', 'anthropic')
  await expect(
    compute.translatePrompt('openai-chat', 'anthropic-messages', HELLO, filling, false),
  ).rejects.toMatchObject({ kind: 'body-too-large', status: 413 })
})

test('threads that had a large task are let go when idle, others are kept', async () => {
  const clock: Clock = { monotonicMs: () => 0, epochMs: () => 0 }
  const pool = new Pool({
    workerUrl: misbehaving.url,
    threads: 1,
    clock,
    onFault: () => {},
    releaseAfterMs: 10,
  })
  const thread = (bytes: number): Promise<unknown> => {
    const body = new Uint8Array(bytes)
    return pool.run('count', { model: 'thread', body }, [body.buffer])
  }
  const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 100))
  const first = await thread(10)
  await pause()
  expect(await thread(10)).toBe(first)
  expect(await thread(3_000_000)).toBe(first)
  expect(await thread(10)).toBe(first)
  await pause()
  expect(await thread(10)).not.toBe(first)
  await pool.close()
})

describe('the threads', () => {
  test('see nothing of the environment', async () => {
    const compute = start({ workerUrl: misbehaving.url })
    expect(await compute.countTokens('env', 'openai-chat', BYTES)).toMatchObject({
      tokens: 0,
      encoding: 'env',
    })
  })

  test('end with the pool: what still runs is guessed, and so is all that comes after', async () => {
    const compute = start({ workerUrl: misbehaving.url })
    await compute.countTokens('ready', 'openai-chat', BYTES)
    const running = compute.countTokens('wait:60000', 'openai-chat', BYTES)
    await compute.close()
    expect(await running).toEqual(GUESS)
    expect(await compute.countTokens('a', 'openai-chat', BYTES)).toEqual(GUESS)
  })

  test('are warmed in the background, without anyone asking', async () => {
    const compute = start({ warmAfterMs: 1 })
    expect(compute.facts()).toMatchObject({ running: 0 })
    await until(() => compute.facts().running === 1)
    await until(() => compute.facts().running === 0)
    expect(compute.facts()).toMatchObject({ counted: 0, fallbacks: 0 })
  })

  /** A program of its own that counts once; run in a thread of it when `inThread`. */
  const program = (end: string): string => `
    import { createCompute } from ${JSON.stringify(new URL('../src/compute/index.js', WORKER_URL).href)}
    const compute = createCompute({ workerUrl: new URL(${JSON.stringify(WORKER_URL.href)}) })
    const body = new TextEncoder().encode('{"messages":[{"role":"user","content":"Hello"}]}')
    const { tokens } = await compute.countTokens('gpt-4o', 'openai-chat', body)
    ${end}
  `

  test('do not keep a process alive, closed or not, and write nothing', () => {
    for (const end of ['console.log(tokens)', 'await compute.close(); console.log(tokens)']) {
      const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program(end)], {
        timeout: 15_000,
        encoding: 'utf8',
      })
      expect({ status: run.status, stdout: run.stdout, stderr: run.stderr }).toEqual({
        status: 0,
        stdout: '8\n',
        stderr: '',
      })
    }
  })

  test('work below a thread, and end with it', async () => {
    const source = program(
      "const { parentPort } = await import('node:worker_threads'); parentPort.postMessage(tokens)",
    )
    const shard = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { execArgv: [] })
    const answers: unknown[] = []
    shard.on('message', answer => answers.push(answer))
    const code = await new Promise((resolve, reject) => shard.once('exit', resolve).once('error', reject))
    expect({ code, answers }).toEqual({ code: 0, answers: [8] })
  })
})
