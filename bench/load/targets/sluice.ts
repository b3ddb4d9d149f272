// Sluice itself as a user starts it: `sluice serve FILE`, one shard, everything else at its default.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort } from '../children.ts'
import type { DialectId, Models } from '../dialects.ts'
import { launch, type Target } from './target.ts'

/** dist/bench/load/targets → the project. */
const ROOT = resolve(import.meta.dirname, '../../../..')
const COMMAND = join(ROOT, 'dist/src/cli/main.js')
const READY_MS_MAX = 20_000

const MODELS: Models = {
  'openai-chat': 'chatbox/gpt-4o',
  'openai-responses': 'respbox/gpt-5',
  'anthropic-messages': 'claudebox/claude-sonnet-4-5',
  'bedrock-converse': 'amazon_bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0',
  'gemini-generate': 'gembox/gemini-2.5-flash',
}

/** A provider for each dialect of an upstream. */
function translating(origin: string): string {
  const entry = (dialect: DialectId, more: string): string =>
    `  - { model: "${MODELS[dialect]}", access_key: sk-bench, ${more} }`
  return [
    entry('openai-chat', `provider_interface: openai, base_url: "${origin}/v1", upstream_api: openai-chat`),
    entry(
      'openai-responses',
      `provider_interface: openai, base_url: "${origin}/v1", upstream_api: openai-responses`,
    ),
    entry(
      'anthropic-messages',
      `provider_interface: anthropic, base_url: "${origin}", upstream_api: anthropic-messages`,
    ),
    entry('bedrock-converse', `base_url: "${origin}"`),
    entry(
      'gemini-generate',
      `provider_interface: gemini, base_url: "${origin}/v1beta", upstream_api: gemini-generate`,
    ),
  ].join('\n')
}

function configuration(port: number, adminPort: number, upstreamPort: number): string {
  return `version: v0.4.0
listeners:
  - { type: model, name: llm, address: 127.0.0.1, port: ${port} }
model_providers:
  - { model: openai/gpt-4o-mini, access_key: sk-bench, base_url: "http://127.0.0.1:${upstreamPort}/v1", default: true }
${translating(`http://127.0.0.1:${upstreamPort}`)}
server: { shards: 1 }
admin: { port: ${adminPort} }
`
}

export const sluice: Target = {
  name: 'sluice',
  find: async () => {
    if (!existsSync(COMMAND)) return { missing: `${COMMAND} is not built` }
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    return { version }
  },
  start: async (facts, version) => {
    const port = await freePort()
    const adminPort = await freePort()
    const file = join(facts.folder, 'sluice.yaml')
    writeFileSync(file, configuration(port, adminPort, facts.upstreamPort))
    return launch({
      name: 'sluice',
      version,
      port,
      adminPort,
      path: '/v1/chat/completions',
      headers: {},
      model: 'openai/gpt-4o-mini',
      check: 'bytes',
      models: MODELS,
      command: {
        command: process.execPath,
        args: [...facts.nodeArgs, COMMAND, 'serve', file],
        cwd: facts.folder,
        env: { SLUICE_SHARDS: '1', METRICS_BIND_ADDRESS: `127.0.0.1:${adminPort}` },
        pin: facts.pin,
      },
      readyMsMax: READY_MS_MAX,
    })
  },
}
