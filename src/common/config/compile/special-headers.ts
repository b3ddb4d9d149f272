// Header fields that two upstreams want from everyone: ChatGPT subscriptions and Kimi's coding plan. Configured
// headers replace them.

import { createHash } from 'node:crypto'
import type { Vendor } from '../vendors.ts'
import type { BaseUrl } from './base-url.ts'

const KIMI_AGENT = 'KimiCLI/1.3'
const CODEX_ORIGINATOR = 'codex_cli_rs'
const CODEX_AGENT = 'codex_cli_rs/0.1'

export function specialHeaders(
  model: string,
  name: string,
  vendor: Vendor,
  base: BaseUrl | null,
  env: Readonly<Record<string, string | undefined>>,
): [string, string][] {
  if (vendor.id === 'chatgpt') {
    const account = env['CHATGPT_ACCOUNT_ID'] ?? ''
    return [
      ['chatgpt-account-id', account],
      ['originator', CODEX_ORIGINATOR],
      ['user-agent', CODEX_AGENT],
      ['session_id', stableId(`${account}\n${name}`)],
    ]
  }
  const kimi = base !== null && (base.host === 'api.kimi.com' || model === 'kimi-for-coding')
  return kimi ? [['user-agent', KIMI_AGENT]] : []
}

/** In the form of a UUID and always the same, so that loading a file twice gives one plan. */
function stableId(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
