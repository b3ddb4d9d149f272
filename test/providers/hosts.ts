// One configuration entry per vendor, and what is expected of it: for the matrix, the documents and the strict mocks.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPlan, type ProviderPlan } from '../../src/common/config/index.ts'

export interface HostEntry {
  /** Name of the personality of the fake upstream. */
  readonly host: string
  /** Without `name` and `access_key`. */
  readonly entry: Readonly<Record<string, unknown>> & { readonly model: string }
  /** The key is written into the entry; null: the host has none, or it is obtained. */
  readonly key: string | null
}

const KEY = 'sk-provider-key-1'

function keyed(host: string, model: string, more: Readonly<Record<string, unknown>> = {}): HostEntry {
  return { host, entry: { model, ...more }, key: KEY }
}

/** Every vendor as most people configure it. */
export const USUAL: readonly HostEntry[] = [
  keyed('openai', 'openai/gpt-4o'),
  keyed('anthropic', 'anthropic/claude-sonnet-4-5'),
  keyed('gemini', 'gemini/gemini-2.5-flash'),
  keyed('groq', 'groq/llama-3.3-70b-versatile'),
  keyed('deepseek', 'deepseek/deepseek-chat'),
  keyed('mistral', 'mistral/mistral-large-latest'),
  keyed('digitalocean', 'digitalocean/llama3.3-70b-instruct'),
  keyed('vercel', 'vercel/openai/gpt-4o'),
  keyed('openrouter', 'openrouter/openai/gpt-4o'),
  keyed('edenai', 'edenai/openai/gpt-4o'),
  keyed('xai', 'xai/grok-4'),
  keyed('together_ai', 'together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo'),
  keyed('moonshotai', 'moonshotai/kimi-k2'),
  keyed('zhipu', 'zhipu/glm-4.6'),
  keyed('xiaomi', 'xiaomi/mimo-v2-flash'),
  keyed('chatgpt', 'chatgpt/gpt-5-codex'),
  keyed('azure_openai', 'azure_openai/gpt-4o', { base_url: 'https://r.openai.azure.com' }),
  keyed('azure_dated', 'azure_openai/gpt-4o', {
    base_url: 'https://r.openai.azure.com',
    api_version: '2024-10-21',
  }),
  { host: 'ollama', entry: { model: 'ollama/llama3.2', base_url: 'http://localhost:11434' }, key: null },
  keyed('qwen', 'qwen/qwen-max', { base_url: 'https://dashscope-intl.aliyuncs.com' }),
  keyed('amazon_bedrock', 'amazon_bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0', {
    region: 'us-east-1',
  }),
  {
    host: 'bedrock_signed',
    entry: {
      model: 'amazon_bedrock/amazon.nova-lite-v1:0',
      region: 'eu-west-1',
      auth: {
        type: 'aws',
        access_key_id: 'AKIDEXAMPLE',
        secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      },
    },
    key: null,
  },
  {
    host: 'vertex',
    entry: { model: 'vertex/gemini-2.5-pro', project: 'p-1', region: 'europe-west1' },
    key: 'ya29.provider-token',
  },
  keyed('vertex_claude', 'vertex/claude-sonnet-4-5@20250929', { project: 'p-1', region: 'us-east5' }),
  keyed('github', 'github/openai/gpt-4o'),
  keyed('meta', 'meta/Llama-4-Maverick-17B-128E-Instruct-FP8'),
  keyed('minimax', 'minimax/MiniMax-M2'),
  keyed('astraflow', 'astraflow/deepseek-ai/DeepSeek-V3'),
  keyed('astraflow_cn', 'astraflow_cn/deepseek-ai/DeepSeek-V3'),
  keyed('plano', 'plano/Plano-Orchestrator', { base_url: 'https://archfc.katanemo.dev' }),
  keyed('custom', 'house/llama-3', { base_url: 'http://10.0.0.5:8000', provider_interface: 'openai' }),
]

/** Compiles entries as a file would be. */
export function plansOf(entries: readonly Readonly<Record<string, unknown>>[]): readonly ProviderPlan[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-providers-'))
  try {
    const file = join(folder, 'config.yaml')
    const document = {
      version: 'v0.4.0',
      listeners: [{ type: 'model', name: 'llm', port: 12_000 }],
      model_providers: entries,
    }
    writeFileSync(file, JSON.stringify(document))
    return loadPlan({ file, cwd: folder, env: {} }).plan.providers.filter(provider => !provider.internal)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function planOf(entry: Readonly<Record<string, unknown>>): ProviderPlan {
  return plansOf([entry])[0]!
}

/** The plan of a row, under the name `m`. */
export function planOfHost({ entry, key }: HostEntry): ProviderPlan {
  return planOf({ ...entry, name: 'm', ...(key === null ? {} : { access_key: key }) })
}
