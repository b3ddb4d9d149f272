// The switch for pictures by address in the whole process: off by default, and when it is on, nothing of this machine
// is asked, however the caller spells it.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'

/** A process starts, on a machine that does other things. */
const TEST_MS_MAX = 60_000

let server: Server
let asked: string[]
let gateway: GatewayProcess | null

beforeEach(async () => {
  asked = []
  gateway = null
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, resolve))
})

afterEach(async () => {
  await gateway?.stop('SIGKILL')
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

async function refusal(url: string): Promise<string> {
  const content = [{ type: 'image_url', image_url: { url } }]
  const reply = await fetch(`${gateway!.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'ollama/llava', messages: [{ role: 'user', content }] }),
  })
  expect(reply.status).toBe(400)
  return ((await reply.json()) as { error: { message: string } }).error.message
}

test('nothing is fetched from this machine, and nothing at all without the switch', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { port } = server.address() as AddressInfo
  const yaml = `model_providers:\n  - { model: ollama/llava, base_url: "http://127.0.0.1:${port}" }`
  gateway = await startGateway({ yaml, server: '  shards: 1\n  fetch_images: true' })
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::1]', '[::ffff:7f00:1]', '0']) {
    expect(await refusal(`http://${host}:${port}/secret`)).toMatch(/is not at a public address$/)
  }
  await gateway.stop('SIGKILL')
  gateway = await startGateway({ yaml, server: '  shards: 1' })
  expect(await refusal(`http://127.0.0.1:${port}/secret`)).toContain('takes images by value only')
  expect(asked).toEqual([])
})
