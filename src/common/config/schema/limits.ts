// `limits` and the older `ratelimits`: how much callers may use. No reference file has the first; the second keeps the
// reference's words and meaning.

import { z } from 'zod'
import { amount, list, name, pick, secret, wait, whole } from './pieces.ts'

export const rateLimit = z.strictObject({
  model: name('Name, model id or alias; `*` for each model.'),
  selector: z
    .strictObject({
      key: name('Header whose value separates callers.'),
      value: name('One value, or `*` for each value by itself.').optional(),
    })
    .describe('Whom the limit is for.'),
  limit: z
    .strictObject({
      tokens: whole('Input tokens per unit.', 1, Number.MAX_SAFE_INTEGER),
      unit: pick('Window.', ['second', 'minute', 'hour', 'day']),
    })
    .describe('How much.'),
})

/** What calls can be told apart by, beside header fields. */
const TRAITS = ['model', 'provider', 'listener', 'key', 'address'] as const

const TRAIT = new RegExp(`^(?:${TRAITS.join('|')}|header:[\\w!#$%&'*+.^\`|~-]{1,200})$`)

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{1,200}$/, 'is not the name of a header field')
  .describe('A header field.')

const count = (description: string) => whole(description, 1, Number.MAX_SAFE_INTEGER).optional()

const rule = z.strictObject({
  name: name('Unique name; shown to who is refused, and in metrics.'),
  match: z
    .strictObject({
      models: list('Any of these.', name('Name, model id, alias, or `vendor/*`.')).min(1).optional(),
      listeners: list('Any of these.', name('Name of a listener.')).min(1).optional(),
      headers: z
        .record(headerName, name('Its value; `*`: any.'))
        .describe('All of these, with their values.')
        .optional(),
    })
    .describe('Which calls count; every member must hold. Left out: all calls.')
    .optional(),
  per: list(
    'Counted by itself for each value of these; without any, for all calls together.',
    z
      .string()
      .regex(TRAIT, `must be one of ${TRAITS.join(', ')} or header:NAME`)
      .describe(
        'model, provider, listener, key (credential of the caller), address (of the caller), header:NAME.',
      ),
  ).optional(),
  requests: count('Requests per window or period.'),
  tokens: count('Tokens, input and output, per window or period.'),
  input_tokens: count('Input tokens per window or period.'),
  output_tokens: count('Output tokens per window or period.'),
  cost: amount('US dollars per window or period.', 0.000_001, 1_000_000_000).optional(),
  concurrent: whole('Requests at the same time; needs no window.', 1, 1_000_000).optional(),
  window: wait('Rolling: what was used comes back evenly over this time.').optional(),
  period: pick('Of the calendar, in UTC: what was used comes back when the next one begins.', [
    'hour',
    'day',
    'week',
    'month',
  ]).optional(),
  action: pick('`report` counts and tells, and refuses nobody.', ['refuse', 'report']).default('refuse'),
})

export type LimitRule = z.output<typeof rule>

export const limits = z
  .strictObject({
    store: z
      .strictObject({
        type: pick('`redis` counts for several processes together.', ['memory', 'redis']).default('memory'),
        url: secret('`redis://` or `rediss://` address.').optional(),
        on_failure: pick('What becomes of calls while the store cannot be reached.', [
          'allow',
          'refuse',
        ]).default('allow'),
      })
      .describe('Where is counted, for `limits` and `ratelimits`.')
      .prefault({}),
    rules: list('Every rule that matches counts; one that is used up is enough to refuse.', rule).default([]),
  })
  .describe('How much callers may use.')
