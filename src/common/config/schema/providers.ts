// `model_providers`: the upstream models. What depends on the vendor is checked in `check/providers.ts`, because only
// there is the whole entry known.

import { z } from 'zod'
import { DIALECTS } from '../../../translate/index.ts'
import { WeightedSecret } from '../secret.ts'
import { VENDORS } from '../vendors.ts'
import { amount, flag, list, name, pick, secret, secretText, text, url, wait } from './pieces.ts'

const interfaces = VENDORS.filter(row => row.interfaceAllowed).map(row => row.id) as [string, ...string[]]

/** A key, or a key with its share of the calls. */
const weightedKey = z
  .union(
    [
      z.string(),
      z.strictObject({
        key: secretText('The key.'),
        weight: amount('Share of the calls against the other keys.', 0.001, 1_000_000).default(1),
      }),
    ],
    { error: 'must be a key, or a map of `key` and `weight`' },
  )
  .meta({ description: 'One key. Literal, $NAME, or file:PATH.', writeOnly: true })
  .transform(value =>
    typeof value === 'string' ? new WeightedSecret(value, 1) : new WeightedSecret(value.key, value.weight),
  )

/** Addresses of one entry; more are a cluster, which has one address. */
const HOSTS_MAX = 16

/** An address, or an address with its share of the calls. */
const weightedUrl = z
  .union(
    [
      text('An address, as in `base_url`.'),
      z.strictObject({
        url: text('The address, as in `base_url`.'),
        weight: amount('Share of the calls against the other addresses.', 0.001, 1_000_000).default(1),
      }),
    ],
    { error: 'must be an address, or a map of `url` and `weight`' },
  )
  .describe('One address.')
  .transform(value => (typeof value === 'string' ? { url: value, weight: 1 } : value))

const dialect = pick('A dialect.', DIALECTS)

/** Flat, because which members a type needs is checked where the vendor is known, with better words. */
const providerAuth = z
  .strictObject({
    type: pick('`aws` signs; the others get tokens and renew them.', [
      'aws',
      'google',
      'entra',
      'managed_identity',
      'chatgpt',
    ]),
    access_key_id: secret('aws: a key; without one the usual chain is asked.').optional(),
    secret_access_key: secret('aws: the secret of the key.').optional(),
    session_token: secret('aws: of temporary keys.').optional(),
    profile: name('aws: profile of the shared files.').optional(),
    role_arn: name('aws: role to assume with what was found.').optional(),
    tenant_id: name('entra: the directory. Default: AZURE_TENANT_ID.').optional(),
    client_id: name('entra, managed_identity: the application. Default: AZURE_CLIENT_ID.').optional(),
    client_secret: secret('entra: its secret.').optional(),
    scope: name('entra, managed_identity: what the token is for.').optional(),
    authority: url('entra: who issues tokens.').optional(),
    file: name(
      'google: key file. entra: federated token. chatgpt: login. Relative to the configuration.',
    ).optional(),
    token_url: url('chatgpt: where the login is renewed.').optional(),
  })
  .describe('Credentials that are computed or renewed, instead of a key.')

export const price = z
  .strictObject({
    input: amount('US dollars per million input tokens.', 0, 100_000),
    output: amount('US dollars per million output tokens.', 0, 100_000),
    cache_read: amount('US dollars per million tokens read from the prompt cache.', 0, 100_000).optional(),
    cache_write: amount('US dollars per million tokens written to the prompt cache.', 0, 100_000).optional(),
    cache_write_long: amount(
      'US dollars per million tokens written to be kept for an hour; default: `cache_write`.',
      0,
      100_000,
    ).optional(),
  })
  .describe('Prices of a model.')

export type Price = z.output<typeof price>

export const provider = z.strictObject({
  model: name('`<vendor>/<model>`, or `<vendor>/*` for every model of the vendor.'),
  name: name('Name callers use; default: `model` as written. Prefix of a wildcard.').optional(),
  access_key: secret('Key of the provider.').optional(),
  access_keys: list('Several keys; calls are spread over them.', weightedKey).min(1).optional(),
  default: flag('Serves requests that name no model. At most one.').default(false),
  base_url: text(
    'Where the provider lives, if not at its public address. A path replaces the usual root.',
  ).optional(),
  base_urls: list('Several addresses that serve the same; calls are spread over them.', weightedUrl)
    .min(1)
    .max(HOSTS_MAX)
    .optional(),
  http_host: name('Host header towards this provider; default: host of `base_url`.').optional(),
  provider_interface: pick('Wire interface of a vendor prefix that is not known.', interfaces).optional(),
  upstream_api: z
    .union([dialect, z.array(dialect).min(1).max(DIALECTS.length)], {
      error: `must be one of ${DIALECTS.join(', ')}, or a list of them`,
    })
    .describe('Dialects this upstream speaks, preferred first; replaces what is known about the vendor.')
    .optional(),
  passthrough_auth: flag('Send the credential of the caller instead of `access_key`.').default(false),
  headers: z
    .record(z.string().max(200), z.string().max(8_192))
    .describe('Header fields added to every call, after credentials, so they may replace them.')
    .optional(),
  routing_preferences: z.unknown().describe('Deprecated: write them at the top of the file.').optional(),
  region: name('Amazon Bedrock, Vertex AI: the region; it also gives the host.').optional(),
  project: name('Vertex AI: the project.').optional(),
  api_version: name(
    'Azure: the dated interface with deployments in its paths; default is the undated one.',
  ).optional(),
  auth: providerAuth.optional(),
  cache_marks: flag('Put cache marks into prompts that have none, where the vendor wants marks.').default(
    false,
  ),
  strict: flag(
    'Refuse prompts of which this provider could not be sent every member, as `x-gateway-strict` does.',
  ).default(false),
  retry_unsafe: flag(
    'Send again after a failure also what makes or costs something each time: images, sound, batches. Not forms, which are not kept.',
  ).default(false),
  stream_options: flag(
    'Chat: whether the host knows `stream_options`; default: what is known of it.',
  ).optional(),
  waits: z
    .strictObject({
      connect: wait('Instead of `upstream.connect`.').optional(),
      headers: wait('Instead of `upstream.headers`.').optional(),
      first_byte: wait('Instead of `upstream.first_byte`.').optional(),
      first_content: wait('Instead of `upstream.first_content`.').optional(),
      between_bytes: wait('Instead of `upstream.between_bytes`.').optional(),
    })
    .describe('Waits for this upstream, in place of those of `upstream`.')
    .optional(),
  fallbacks: list(
    'Models to try next when this one fails before its first byte.',
    name('A model name.'),
  ).optional(),
  prices: price.describe('Prices of this model; win over every price list.').optional(),
})

export type ProviderEntry = z.output<typeof provider>

export const alias = z.strictObject({
  target: name('Name or model id of a provider entry; not a wildcard and not another alias.'),
})
