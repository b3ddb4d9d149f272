// The configuration of someone who has none: one listener and a wildcard for each well-known vendor, those with a key
// in the environment first. A vendor without a key passes the caller's credential on.

import type { Env } from './values.ts'
import { ZERO_CONFIG_VENDORS } from './vendors.ts'

export interface ZeroConfig {
  readonly tree: Record<string, unknown>
  readonly found: readonly string[]
  readonly missing: readonly string[]
  /** Source of each provider entry. */
  readonly notes: readonly string[]
}

const DEFAULT_PORT = 12_000

/** The port is text as the environment has it; the schema judges it. */
export function zeroConfig(env: Env): ZeroConfig {
  const has = (name: string) => (env[name] ?? '') !== ''
  const keyed = ZERO_CONFIG_VENDORS.filter(vendor => has(vendor.envKey!))
  const open = ZERO_CONFIG_VENDORS.filter(vendor => !has(vendor.envKey!))
  const port = env['SLUICE_PORT']
  return {
    tree: {
      version: 'v0.4.0',
      listeners: [{ type: 'model', name: 'llm', address: '0.0.0.0', port: portOf(port) }],
      model_providers: [
        ...keyed.map(vendor => ({
          name: vendor.id,
          model: `${vendor.id}/*`,
          access_key: env[vendor.envKey!],
        })),
        ...open.map(vendor => ({ name: vendor.id, model: `${vendor.id}/*`, passthrough_auth: true })),
      ],
    },
    found: keyed.map(vendor => vendor.envKey!),
    missing: open.map(vendor => vendor.envKey!),
    notes: [
      ...keyed.map(vendor => `env ${vendor.envKey}`),
      ...open.map(vendor => `no ${vendor.envKey}: the caller's credential is passed on`),
    ],
  }
}

function portOf(text: string | undefined): number | string {
  if (text === undefined || text === '') return DEFAULT_PORT
  return /^\d{1,5}$/.test(text) ? Number(text) : text
}
