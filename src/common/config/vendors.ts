// tidy: long because it is a table
// The vendors: one row each. Owns what is known about a vendor when a configuration is loaded: where it lives, what it
// speaks, which environment variable holds its key. How a call is signed and where its path ends is `providers`.

import type { DialectId } from '../../translate/index.ts'

export interface Vendor {
  /** Prefix in `model: <id>/<model>`. */
  readonly id: string
  /** Shown as owner of its models. */
  readonly label: string
  /** Other prefixes a caller may use for it; a file may not. */
  readonly aliases: readonly string[]
  /** `scheme://host`, or null where only the operator knows it. */
  readonly origin: string | null
  /** Versioned root in front of the API suffix. */
  readonly pathPrefix: string
  /** Roots of dialects that live elsewhere on the same host. */
  readonly dialectPrefixes: Readonly<Partial<Record<DialectId, string>>>
  /** What it speaks, preferred first. */
  readonly dialects: readonly DialectId[]
  /** Variable that zero-config looks for, and its place in the list shown there. */
  readonly envKey: string | null
  /** A file must name `base_url`. */
  readonly baseUrlRequired: boolean
  /** May be written as `provider_interface` of a prefix of one's own. */
  readonly interfaceAllowed: boolean
  /** May be written as prefix of a model in a file. */
  readonly prefixAllowed: boolean
  /** Calls without a key make sense: local model servers. */
  readonly keyOptional: boolean
  /** Where a key is made, for the message of a missing one. */
  readonly keyPage: string | null
}

const CHAT: readonly DialectId[] = ['openai-chat']

type Row = Partial<Vendor> & Pick<Vendor, 'id' | 'origin' | 'pathPrefix'>

function vendor(row: Row): Vendor {
  return {
    label: row.id,
    aliases: [],
    dialectPrefixes: {},
    dialects: CHAT,
    envKey: null,
    baseUrlRequired: false,
    interfaceAllowed: false,
    prefixAllowed: true,
    keyOptional: false,
    keyPage: null,
    ...row,
  }
}

/** In the order of zero-config, then the rest. */
export const VENDORS: readonly Vendor[] = [
  vendor({
    id: 'openai',
    label: 'OpenAI',
    origin: 'https://api.openai.com',
    pathPrefix: '/v1',
    dialects: ['openai-chat', 'openai-responses'],
    envKey: 'OPENAI_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://platform.openai.com/api-keys',
  }),
  vendor({
    id: 'anthropic',
    label: 'Anthropic',
    origin: 'https://api.anthropic.com',
    pathPrefix: '/v1',
    dialects: ['anthropic-messages'],
    envKey: 'ANTHROPIC_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://console.anthropic.com/settings/keys',
  }),
  vendor({
    id: 'gemini',
    label: 'Gemini',
    aliases: ['google'],
    origin: 'https://generativelanguage.googleapis.com',
    pathPrefix: '/v1beta/openai',
    dialectPrefixes: { 'gemini-generate': '/v1beta' },
    dialects: ['openai-chat', 'gemini-generate'],
    envKey: 'GEMINI_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://aistudio.google.com/apikey',
  }),
  vendor({
    id: 'groq',
    label: 'Groq',
    origin: 'https://api.groq.com',
    pathPrefix: '/openai/v1',
    dialects: ['openai-chat', 'openai-responses'],
    envKey: 'GROQ_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://console.groq.com/keys',
  }),
  vendor({
    id: 'deepseek',
    label: 'Deepseek',
    origin: 'https://api.deepseek.com',
    pathPrefix: '/v1',
    envKey: 'DEEPSEEK_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://platform.deepseek.com/api_keys',
  }),
  vendor({
    id: 'mistral',
    label: 'Mistral',
    origin: 'https://api.mistral.ai',
    pathPrefix: '/v1',
    envKey: 'MISTRAL_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://console.mistral.ai/api-keys',
  }),
  vendor({
    id: 'digitalocean',
    aliases: ['do', 'do_ai'],
    origin: 'https://inference.do-ai.run',
    pathPrefix: '/v1',
    envKey: 'DO_API_KEY',
    interfaceAllowed: true,
  }),
  vendor({
    id: 'vercel',
    origin: 'https://ai-gateway.vercel.sh',
    pathPrefix: '/v1',
    dialects: ['openai-chat', 'anthropic-messages', 'openai-responses'],
    envKey: 'AI_GATEWAY_API_KEY',
    interfaceAllowed: true,
  }),
  vendor({
    id: 'openrouter',
    origin: 'https://openrouter.ai',
    pathPrefix: '/api/v1',
    dialects: ['openai-chat', 'anthropic-messages', 'openai-responses'],
    envKey: 'OPENROUTER_API_KEY',
    interfaceAllowed: true,
    keyPage: 'https://openrouter.ai/settings/keys',
  }),
  vendor({
    id: 'edenai',
    origin: 'https://api.edenai.run',
    pathPrefix: '/v3',
    envKey: 'EDENAI_API_KEY',
    interfaceAllowed: true,
  }),
  vendor({
    id: 'xai',
    origin: 'https://api.x.ai',
    pathPrefix: '/v1',
    dialects: ['openai-chat', 'openai-responses'],
  }),
  vendor({
    id: 'together_ai',
    aliases: ['together'],
    origin: 'https://api.together.xyz',
    pathPrefix: '/v1',
  }),
  vendor({
    id: 'moonshotai',
    origin: 'https://api.moonshot.ai',
    pathPrefix: '/v1',
    interfaceAllowed: true,
  }),
  vendor({ id: 'zhipu', origin: 'https://open.bigmodel.cn', pathPrefix: '/api/paas/v4' }),
  vendor({ id: 'xiaomi', origin: 'https://api.xiaomimimo.com', pathPrefix: '/v1', interfaceAllowed: true }),
  vendor({
    id: 'chatgpt',
    origin: 'https://chatgpt.com',
    pathPrefix: '/backend-api/codex',
    dialects: ['openai-responses'],
    interfaceAllowed: true,
  }),
  vendor({
    id: 'azure_openai',
    origin: null,
    pathPrefix: '/openai/v1',
    dialects: ['openai-chat', 'openai-responses'],
    baseUrlRequired: true,
  }),
  vendor({ id: 'ollama', origin: null, pathPrefix: '/v1', baseUrlRequired: true, keyOptional: true }),
  vendor({ id: 'qwen', origin: null, pathPrefix: '/compatible-mode/v1', baseUrlRequired: true }),
  vendor({
    id: 'amazon_bedrock',
    aliases: ['amazon'],
    origin: null,
    pathPrefix: '',
    dialects: ['bedrock-converse'],
    baseUrlRequired: true,
    interfaceAllowed: true,
  }),
  vendor({ id: 'github', label: 'GitHub', origin: 'https://models.github.ai', pathPrefix: '/inference' }),
  vendor({ id: 'meta', origin: 'https://api.llama.com', pathPrefix: '/compat/v1' }),
  vendor({ id: 'minimax', origin: 'https://api.minimax.io', pathPrefix: '/v1' }),
  vendor({ id: 'astraflow', origin: 'https://api-us-ca.umodelverse.ai', pathPrefix: '/v1' }),
  vendor({ id: 'astraflow_cn', origin: 'https://api.modelverse.cn', pathPrefix: '/v1' }),
  // Gemini and Claude on Google Cloud; which of the two dialects is meant, the model's name says.
  vendor({
    id: 'vertex',
    label: 'Vertex AI',
    aliases: ['vertex_ai'],
    origin: null,
    pathPrefix: '',
    dialects: ['gemini-generate', 'anthropic-messages'],
    baseUrlRequired: true,
  }),
  vendor({
    id: 'plano',
    label: 'Plano',
    origin: 'https://archfc.katanemo.dev',
    pathPrefix: '/v1',
    baseUrlRequired: true,
    interfaceAllowed: true,
    keyOptional: true,
  }),
]

const BY_ID = new Map(VENDORS.map(row => [row.id, row]))
const BY_ALIAS = new Map(VENDORS.flatMap(row => row.aliases.map(alias => [alias, row] as const)))

/** The vendor of a prefix exactly as a file writes it. */
export function vendorOf(prefix: string): Vendor | null {
  return BY_ID.get(prefix) ?? null
}

/** The vendor a caller means: any case, aliases too. */
export function vendorNamed(prefix: string): Vendor | null {
  const lower = prefix.toLowerCase()
  return BY_ID.get(lower) ?? BY_ALIAS.get(lower) ?? null
}

export const ZERO_CONFIG_VENDORS: readonly Vendor[] = VENDORS.filter(row => row.envKey !== null)
