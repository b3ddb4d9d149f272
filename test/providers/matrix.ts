// The endpoint matrix, made from the code: for every vendor and client dialect what is spoken upstream and where.

import { type ProviderPlan, VENDORS } from '../../src/common/config/index.ts'
import { upstreamDialects, upstreamPath } from '../../src/providers/index.ts'
import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { type HostEntry, planOf, planOfHost, USUAL } from './hosts.ts'

export interface Cell {
  readonly upstream: DialectId
  readonly path: string
  readonly streamPath: string
}

/** What a client of `dialect` is given at a provider. */
export function cellOf(provider: ProviderPlan, dialect: DialectId): Cell {
  const dialects = upstreamDialects(provider, provider.model)
  const upstream = dialects.includes(dialect) ? dialect : dialects[0]!
  return {
    upstream,
    path: upstreamPath(provider, upstream, 'generate', provider.model, false),
    streamPath: upstreamPath(provider, upstream, 'generate', provider.model, true),
  }
}

/** Base URLs that people write, and what they write them for. */
export const WRITTEN_BASES: readonly (readonly [what: string, entry: Readonly<Record<string, unknown>>])[] = [
  ['root of the vendor', { model: 'groq/m', base_url: 'https://api.groq.com/openai/v1' }],
  ['root without its version', { model: 'groq/m', base_url: 'https://api.groq.com/openai' }],
  ['native root', { model: 'gemini/m', base_url: 'https://generativelanguage.googleapis.com/v1beta' }],
  ['root with a slash', { model: 'openrouter/m', base_url: 'https://openrouter.ai/api/v1/' }],
  ['root', { model: 'edenai/m', base_url: 'https://api.edenai.run/v3' }],
  ['root', { model: 'qwen/m', base_url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1' }],
  [
    'another plan of the vendor',
    { model: 'zhipu/m', base_url: 'https://open.bigmodel.cn/api/coding/paas/v4' },
  ],
  ['whole endpoint', { model: 'openai/m', base_url: 'https://proxy.example/v1/chat/completions' }],
  ['query', { model: 'openai/m', base_url: 'https://proxy.example/v1?tenant=7' }],
  ['root', { model: 'azure_openai/m', base_url: 'https://r.openai.azure.com/openai/v1' }],
  ['root without its version', { model: 'azure_openai/m', base_url: 'https://r.openai.azure.com/openai' }],
  [
    'whole endpoint of a deployment',
    {
      model: 'azure_openai/m',
      base_url: 'https://r.openai.azure.com/openai/deployments/d-1/chat/completions?api-version=2024-10-21',
    },
  ],
  ['no path', { model: 'anthropic/m', base_url: 'https://api.anthropic.com' }],
  ['compatible root', { model: 'anthropic/m', base_url: 'https://api.deepseek.com/anthropic' }],
  ['coding plan', { model: 'anthropic/m', base_url: 'https://api.kimi.com/coding' }],
  ['no path', { model: 'ollama/m', base_url: 'http://localhost:11434' }],
  [
    'no version',
    { model: 'perplexity/m', base_url: 'https://api.perplexity.ai', provider_interface: 'openai' },
  ],
  [
    'host of one’s own',
    { model: 'house/m', base_url: 'http://10.0.0.5:8000/v1', provider_interface: 'openai' },
  ],
  [
    'host of one’s own that speaks Messages',
    {
      model: 'house/m',
      base_url: 'http://10.0.0.5:8000/anthropic',
      provider_interface: 'openai',
      upstream_api: 'anthropic-messages',
    },
  ],
  [
    'host of one’s own that speaks Gemini',
    {
      model: 'house/m',
      base_url: 'http://10.0.0.5:8000',
      provider_interface: 'gemini',
      upstream_api: 'gemini-generate',
    },
  ],
  [
    'host of one’s own that speaks Converse',
    { model: 'house/meta-llama/m', base_url: 'http://10.0.0.5:8000', provider_interface: 'amazon_bedrock' },
  ],
  [
    'ARN',
    {
      model: 'amazon_bedrock/arn:aws:bedrock:us-east-1:42:inference-profile/us.m-v1:0',
      base_url: 'https://bedrock-runtime.us-east-1.amazonaws.com',
    },
  ],
]

const SHORT: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'Chat',
  'openai-responses': 'Responses',
  'anthropic-messages': 'Messages',
  'bedrock-converse': 'Converse',
  'gemini-generate': 'Gemini',
}

/** Upstream dialects of a provider with the clients that are given each. */
function lines(provider: ProviderPlan): string[] {
  const groups = new Map<DialectId, DialectId[]>()
  for (const client of DIALECTS) {
    const { upstream } = cellOf(provider, client)
    groups.set(upstream, [...(groups.get(upstream) ?? []), client])
  }
  return [...groups].map(([upstream, clients]) => {
    const { path, streamPath } = cellOf(provider, clients[0]!)
    const who = clients.length === DIALECTS.length ? 'all' : clients.map(client => SHORT[client]).join(', ')
    const streamed = streamPath === path ? '' : `<br>streamed: \`${streamPath}\``
    return `${who} | ${SHORT[upstream]} | \`${path}\`${streamed}`
  })
}

function matrixRows(): string[] {
  return USUAL.flatMap((row: HostEntry) => {
    const provider = planOfHost(row)
    return lines(provider).map(line => `| \`${row.entry.model}\` | ${provider.origin} | ${line} |`)
  })
}

function baseRows(): string[] {
  return WRITTEN_BASES.flatMap(([what, entry]) => {
    const provider = planOf({ ...entry, access_key: 'k' })
    return lines(provider).map(
      line => `| \`${entry['model']}\` | \`${entry['base_url']}\` (${what}) | ${line} |`,
    )
  })
}

function vendorRows(): string[] {
  return VENDORS.map(vendor => {
    const aliases = vendor.aliases.map(alias => `\`${alias}\``).join(', ')
    const host = vendor.origin === null ? 'yours' : `${vendor.origin}${vendor.pathPrefix}`
    const dialects = vendor.dialects.map(dialect => SHORT[dialect]).join(', ')
    const variable = vendor.envKey === null ? '' : `\`${vendor.envKey}\``
    return `| \`${vendor.id}\` | ${aliases} | ${host} | ${dialects} | ${variable} |`
  })
}

/** `docs/providers.md`. */
export function providersDocument(): string {
  return `# Providers

This file is made from the code: \`UPDATE_DOCS=1 npx vitest run test/providers/matrix.test.ts\` writes it.

A provider entry names a vendor and a model: \`model: <vendor>/<model>\`, or \`<vendor>/*\` for all of them. A host of your
own has a prefix of your own, a \`base_url\` and a \`provider_interface\`.

## Vendors

| id | also called | where | speaks | variable |
| --- | --- | --- | --- | --- |
${vendorRows().join('\n')}

Clients of a dialect that the provider speaks are relayed; all others are translated to the first one. \`upstream_api\`
replaces what is known. Where it says "yours", \`base_url\` is needed, except that \`region\` is enough for
\`amazon_bedrock\` and \`project\` for \`vertex\`.

## Endpoints

| model | host | clients | upstream | path |
| --- | --- | --- | --- | --- |
${matrixRows().join('\n')}

The second entry of \`azure_openai\` has \`api_version: "2024-10-21"\`.

## Endpoints with a \`base_url\`

A base URL without a path keeps the usual root of its vendor. One with a path replaces it, after these repairs: slashes
at its end go, a whole endpoint is cut back to its root, a root that lacks its version gets it. A query is kept and sent
with every call; \`api-version\` in it is Azure's \`api_version\`.

| model | \`base_url\` | clients | upstream | path |
| --- | --- | --- | --- | --- |
${baseRows().join('\n')}

## Credentials

| where | shown as |
| --- | --- |
| Chat, Responses, Converse | \`authorization: Bearer <key>\` (Converse: a Bedrock API key) |
| Messages | \`x-api-key: <key>\`; Bearer for tokens of a login (\`sk-ant-oat…\`), at OpenRouter, Vercel and Vertex AI |
| Gemini | \`x-goog-api-key: <key>\`; Bearer for access tokens (\`ya29.…\`) |
| Azure | \`api-key: <key>\`; Bearer for tokens of Entra |
| \`auth: {type: aws}\`, or Bedrock without a key | AWS signature version 4, with the keys named, or those of the environment, profiles, web identity, container or instance; \`role_arn\` is assumed with them |
| \`auth: {type: google}\`, or Vertex AI without a key | token for a service account, a user, a federated or impersonated account (\`file\`, GOOGLE_APPLICATION_CREDENTIALS, the gcloud login), or of the machine; a federated account proves itself with a file or an address |
| \`auth: {type: entra}\` | token by client credentials, with a secret or a federated token file |
| \`auth: {type: managed_identity}\` | token of an Azure machine, container or App Service for what it is |
| \`auth: {type: chatgpt}\` | token of the login in \`file\`, renewed when it ends and written back |
| \`passthrough_auth: true\` | the caller's own credential (\`authorization\`, \`x-api-key\`, \`x-goog-api-key\`, \`api-key\`, Gemini's \`?key=\`), in the provider's form |

Keys are literal, \`$NAME\`, or \`file:PATH\`; files are looked at again at most once a second and used when they have
changed. Tokens are fetched once per shard, renewed before they end while the old one serves, and given up when an
upstream refuses them. The caller's credential, cookies and unknown fields never go upstream. AWS's own places are looked
up in the environment of the process, of which a \`.env\` file is no part; under a proxy, put the metadata addresses of
your platform into NO_PROXY.

## Images by address

Bedrock takes none, Ollama takes none, and Gemini wants to be told their type. With \`server.fetch_images: true\` the
gateway fetches them (PNG, JPEG, GIF, WebP; 10 MiB and 10 s each, 20 in a prompt) from public addresses only, directly,
judged again at every connect and redirect. Without it Gemini is given the addresses, and for the others the prompt is
refused.

## What is changed for a host

These members of a body are changed for the provider and model that finally serve it, whoever wrote it; what that costs
is told in \`x-gateway-warnings\`, and refused under \`x-gateway-strict: true\`.

| host or model | change |
| --- | --- |
| OpenAI reasoning models | sampling, penalties, \`logprobs\`, \`logit_bias\`, \`stop\` go where the model has none; \`max_tokens\` becomes \`max_completion_tokens\` |
| \`mistral\` | only documented members, of messages, too; \`seed\` becomes \`random_seed\`, \`developer\` becomes \`system\`, ids of calls have nine letters |
| \`groq\` | \`logprobs\`, \`top_logprobs\`, \`logit_bias\` and names of messages go |
| \`xai\` | \`web_search_options\` goes; at its reasoning models penalties and \`stop\` go |
| \`gemini\` (Chat) | \`store\`, \`metadata\`, \`service_tier\`, \`logit_bias\` go |
| \`deepseek\` | \`json_schema\` becomes \`json_object\`; \`developer\` becomes \`system\` |
| \`ollama\` | \`tool_choice\`, \`parallel_tool_calls\` go; images by value only |
| \`deepseek\`, \`ollama\`, \`together_ai\`, \`qwen\`, \`zhipu\`, \`moonshotai\`, \`xiaomi\`, \`mistral\` | \`max_completion_tokens\` becomes \`max_tokens\` |
| \`moonshotai/kimi-k3\` | sampling, penalties and \`n\` go; efforts become \`low\`, \`high\`, \`max\` |
| \`kimi-for-coding\` | Chat: \`stream_options\`, \`reasoning_effort\`, \`web_search_options\`, \`service_tier\`, \`store\` go; Messages: \`thinking\` goes |
| \`chatgpt\` | \`store: false\`, \`stream: true\` (whole replies are folded from the stream), \`input\` is a list, \`instructions\` are there; \`max_output_tokens\` and sampling go |
| Claude on Vertex AI | \`anthropic_version\` in the body, no \`model\` |
| Chat hosts other than \`digitalocean\`, \`openrouter\`, \`edenai\`, \`vercel\` | \`cache_control\` goes |

## Prompt caches

\`cache_marks: true\` puts marks into prompts that have none and are longer than about 1,024 tokens: in Messages behind
the system text (or the tools) and the last message, in Converse as cache points at the same places, in Chat at
\`digitalocean\`, \`openrouter\` and \`edenai\` on the first system message for Claude. \`x-plano-cache: off\` leaves one
call alone.
`
}
