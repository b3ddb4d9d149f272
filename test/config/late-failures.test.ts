// Files that the reference accepts and that then fail or misbehave (one test per row of the specification's table):
// refused before anything opens, warned about where they work in part, or simply working.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { issueText, type LoadedPlan, loadPlan } from '../../src/common/config/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-late-'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(text: string): LoadedPlan {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, `version: v0.4.0\n${text}`)
  return loadPlan({ file, cwd: folder, env: {} })
}

const MODEL = 'model_providers: [{model: openai/gpt-4o, access_key: k}]\n'
const TOP = `listeners: []\n${MODEL}`

test.each([
  [
    'two defaults',
    'listeners: []\nmodel_providers: [{model: openai/a, access_key: k, default: true}, {model: openai/b, access_key: k, default: true}]',
    'E61',
  ],
  [
    'a preference for an undeclared model',
    `${TOP}routing_preferences: [{name: a, description: A., models: [b]}]`,
    'E63',
  ],
  [
    'cheapest without a source',
    `${TOP}routing_preferences: [{name: a, description: A., models: [gpt-4o], selection_policy: {prefer: cheapest}}]`,
    'E64',
  ],
  ['a budget without a cost source', `${TOP}routing: {routing_budget: {max_switch_spend_pct: 1}}`, 'E66'],
  ['redis without an address', `${TOP}routing: {session_cache: {type: redis}}`, 'E67'],
  [
    'a rate limit per month',
    `${TOP}ratelimits: [{model: gpt-4o, selector: {key: a, value: b}, limit: {tokens: 1, unit: month}}]`,
    'E69',
  ],
  [
    'two agent listeners on one port',
    `agents: [{id: a, url: "http://h"}]\nlisteners: [{type: agent, name: a, port: 1, agents: [{id: a, description: A.}]}, {type: agent, name: b, port: 1, agents: [{id: a, description: A.}]}]`,
    'E71',
  ],
  ['a receiver of traces without a port', `${TOP}tracing: {opentracing_grpc_endpoint: "http://host"}`, 'E72'],
  [
    'an agent listener naming an undefined agent',
    'listeners: [{type: agent, name: a, port: 1, agents: [{id: nobody, description: A.}]}]',
    'E25',
  ],
  [
    'an agent listener naming an undefined filter',
    'agents: [{id: a, url: "http://h"}]\nlisteners: [{type: agent, name: a, port: 1, agents: [{id: a, description: A., input_filters: [nobody]}]}]',
    'E25',
  ],
  ['an agent without a scheme', 'listeners: []\nagents: [{id: a, url: "host:1"}]', 'S10'],
  [
    'an empty base URL',
    'listeners: []\nmodel_providers: [{model: vercel/x, access_key: k, base_url: ""}]',
    'E70',
  ],
  ['an agent listener without a port', 'listeners: [{type: agent, name: a}]', 'E60'],
])('%s is refused', (_, text, code) => {
  expect(() => load(text)).toThrow(new RegExp(`: ${code} `))
})

test('a listener without a port has the default of its type', () => {
  const { plan } = load('listeners: [{type: model, name: m}, {type: prompt, name: p}]')
  expect(plan.listeners.map(listener => listener.port)).toEqual([12_000, 10_000])
})

test('defaults and values of parameters keep their types', () => {
  const { plan } = load(
    `${TOP}prompt_targets: [{name: f, description: F., parameters: [{name: n, description: N., type: int, default: 7, enum: [true, 7, a]}]}]`,
  )
  expect(plan.features!.promptTargets[0]!.parameters[0]).toMatchObject({ default: 7, enum: [true, 7, 'a'] })
})

test('vendors whose host is known need no base URL', () => {
  const { plan } = load(
    'listeners: []\nmodel_providers: [{model: vercel/x, access_key: k}, {model: openrouter/y, access_key: k}, {model: edenai/z, access_key: k}]',
  )
  expect(plan.providers.map(provider => provider.origin + provider.pathPrefix)).toEqual([
    'https://ai-gateway.vercel.sh/v1',
    'https://openrouter.ai/api/v1',
    'https://api.edenai.run/v3',
  ])
})

test('a model listener may have port 10000 while no prompt listener wants it', () => {
  expect(load('listeners: [{type: model, name: m, port: 10000}]').plan.listeners[0]!.port).toBe(10_000)
})

test('two ports on one host are two upstreams', () => {
  const { plan } = load(
    'listeners: []\nmodel_providers: [{model: ollama/a, base_url: "http://h:1"}, {model: ollama/b, base_url: "http://h:2"}]',
  )
  expect(plan.providers.map(provider => provider.origin)).toEqual(['http://h:1', 'http://h:2'])
})

test('a slip inside overrides is a warning with the nearest name', () => {
  const { notes } = load(`${TOP}overrides: {disable_signal: true}`)
  expect(notes.warnings.map(issueText)).toEqual([
    expect.stringMatching(/overrides\.disable_signal: W19 .*`disable_signals`/),
  ])
})

test('a rate limit on a full name counts for the entry', () => {
  const { plan } = load(
    `${TOP}ratelimits: [{model: openai/gpt-4o, selector: {key: a, value: b}, limit: {tokens: 1, unit: day}}]`,
  )
  expect(plan.features!.rateLimits[0]!.models).toEqual(['openai/gpt-4o'])
})
