// The provider entries of the soak: six of them over three upstreams, so that every dialect is spoken upstream, each
// entry can fall back to all others, and two have several keys of which one is dead. Owns names, prices and the file.

import type { DialectId } from '../../../src/translate/index.ts'

export interface Entry {
  /** Name of the entry, which callers write. */
  readonly name: string
  /** Label values of metrics: a host of one's own counts as the vendor whose interface it has. */
  readonly labels: { readonly provider: string; readonly model: string }
  /** As it is sent; no two entries have the same. */
  readonly model: string
  /** Which of the three upstreams. */
  readonly at: number
  /** What the upstream speaks here. */
  readonly dialects: readonly DialectId[]
  /** Behind the origin. */
  readonly root: string
  /** US dollars per million tokens. */
  readonly price: { readonly input: number; readonly output: number }
  /** More of the entry, as it stands in a file. */
  readonly more: string
}

/** Keys that contain this are refused by every upstream. */
export const DEAD_KEY = 'dead'
const KEYS = 'access_keys: [sk-chaos-1, sk-chaos-dead, sk-chaos-2]'
const KEY = 'access_key: sk-chaos'
const CUSTOM = `${KEY}, provider_interface: openai`

function entry(
  at: number,
  name: string,
  dialects: readonly DialectId[],
  root: string,
  [input, output]: readonly [number, number],
  more: string = KEY,
): Entry {
  const slash = name.indexOf('/')
  const model = name.slice(slash + 1)
  const provider = more.includes('provider_interface: openai') ? 'openai' : name.slice(0, slash)
  const labels = { provider, model: `${provider}/${model}` }
  return { name, labels, model, at, dialects, root, price: { input, output }, more }
}

export const ENTRIES: readonly Entry[] = [
  entry(0, 'openai/gpt-4o', ['openai-chat', 'openai-responses'], '/v1', [3, 12], KEYS),
  entry(1, 'anthropic/claude-sonnet-4-5', ['anthropic-messages'], '', [5, 20], KEYS),
  entry(2, 'gemini/gemini-2.5-flash', ['openai-chat', 'gemini-generate'], '/v1beta', [1, 4]),
  entry(0, 'amazon_bedrock/amazon.nova-lite-v1:0', ['bedrock-converse'], '', [2, 7]),
  entry(1, 'house/echo-1', ['openai-responses'], '/v1', [6, 9], `${CUSTOM}, upstream_api: openai-responses`),
  entry(2, 'lab/echo-2', ['gemini-generate'], '/v1beta', [8, 11], `${CUSTOM}, upstream_api: gemini-generate`),
]

export function costUsd({ price }: Entry, inputTokens: number, outputTokens: number): number {
  return (inputTokens * price.input + outputTokens * price.output) / 1e6
}

/** `model_providers` of a file; each entry falls back to the others, the nearest behind it first. */
export function providersText(origins: readonly string[]): string {
  return ENTRIES.map(({ name, at, root, price, more }, index) => {
    const others = [...ENTRIES.slice(index + 1), ...ENTRIES.slice(0, index)].map(other => `"${other.name}"`)
    const prices = `prices: { input: ${price.input}, output: ${price.output} }`
    const url = `base_url: "${origins[at]}${root}"`
    return `  - { model: "${name}", ${url}, ${more}, fallbacks: [${others.join(', ')}], ${prices} }`
  }).join('\n')
}
