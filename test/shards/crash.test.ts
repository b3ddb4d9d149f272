// Shards that die in a real process: their neighbours' streams go on, their own clients are told, and a successor
// takes over. Native servers make this delicate: one left open when its thread ends aborts the whole process.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type Sample, parseExposition } from '../../bench/load/measure/exposition.ts'
import { portSharing } from '../../src/acceptor/index.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'

const SABOTAGE = pathToFileURL(resolve(import.meta.dirname, '../../dist/test/shards/sabotage.js')).href
/** About five seconds of speech. */
const WORDS = Array.from({ length: 150 }, (_, at) => `word${at}`).join(' ')
const STREAMS = 10

let gateway: GatewayProcess | null = null
const folder = mkdtempSync(join(tmpdir(), 'sluice-sabotage-'))
const order = join(folder, 'order')

afterEach(async () => {
  gateway?.process.kill('SIGKILL')
  await gateway?.exited
  gateway = null
  rmSync(order, { force: true })
})

async function start(): Promise<GatewayProcess> {
  gateway = await startGateway({
    server: '',
    env: { SLUICE_SHARDS: '2', NODE_OPTIONS: `--import ${SABOTAGE}`, SABOTAGE_FILE: order },
  })
  return gateway
}

/** Resolves with the text of the stream, and ` BROKEN` behind it when the connection broke. */
async function stream(origin: string): Promise<string> {
  const body = { model: 'demo/echo', stream: true, messages: [{ role: 'user', content: WORDS }] }
  const reply = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  let text = ''
  try {
    for await (const piece of reply.body!) text += Buffer.from(piece).toString()
  } catch {
    text += ' BROKEN'
  }
  return text
}

async function samples({ adminOrigin }: GatewayProcess): Promise<Sample[]> {
  return parseExposition(await (await fetch(`${adminOrigin}/metrics`)).text())
}

function value(from: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  return from
    .filter(sample => sample.name === name)
    .filter(sample => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))
    .reduce((total, sample) => total + sample.value, 0)
}

async function until(holds: () => Promise<boolean>, waitMs: number): Promise<void> {
  const endMs = performance.now() + waitMs
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not so within ${waitMs} ms: ${String(holds)}`)
    await new Promise(done => setTimeout(done, 50))
  }
}

const complete = (text: string) => text.endsWith('data: [DONE]\n\n')

// Two shards need one port, which not every runtime lets threads share.
describe.runIf(portSharing('uws') || portSharing('node'))('two shards with streams on both', () => {
  const cases = [
    ['throws where nobody catches', 'throw', 'crashed'],
    ['leaves a rejection unhandled', 'reject', 'crashed'],
    ['is ended by a library', 'exit', 'exit'],
    ['spins for ever', 'spin', 'unresponsive'],
    ['matches an expression that runs away', 'match', 'unresponsive'],
  ] as const

  test.each(cases)(
    'one of which %s',
    async (_what, word, reason) => {
      const { origin, ...rest } = await start()
      const running = Array.from({ length: STREAMS }, () => stream(origin))
      let own = 0
      await until(async () => {
        const seen = await samples({ origin, ...rest })
        own = value(seen, 'sluice_client_connections', { shard: '1' })
        return own + value(seen, 'sluice_client_connections', { shard: '2' }) === STREAMS
      }, 5_000)
      writeFileSync(order, word)
      const texts = await Promise.all(running)
      // Whoever was on the other shard noticed nothing; whoever was not has no invented ending.
      expect(texts.filter(complete)).toHaveLength(STREAMS - own)
      for (const text of texts.filter(one => !complete(one))) {
        expect(text).not.toContain('[DONE]')
        expect(text).toMatch(/"error":\{|BROKEN$/)
      }
      await until(async () => {
        const seen = await samples({ origin, ...rest })
        const restarts = value(seen, 'sluice_shard_restarts_total', { reason })
        return restarts === 1 && value(seen, 'sluice_shards', { state: 'ready' }) === 2
      }, 20_000)
      expect(complete(await stream(origin))).toBe(true)
      expect(await gateway!.stop()).toBe(0)
    },
    60_000,
  )
})
