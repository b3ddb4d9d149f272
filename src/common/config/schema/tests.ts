// `tests`: requests that the file itself promises to treat in a certain way.

import { z } from 'zod'
import { DIALECTS } from '../../../translate/index.ts'
import { amount, flag, list, name, pick, text } from './pieces.ts'

/** Statuses of HTTP. */
const STATUS_MIN = 200
const STATUS_MAX = 599

const request = z
  .strictObject({
    path: name('Path of the call; default: that of the dialect.').optional(),
    method: pick('Method of the call.', ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']).default('POST'),
    dialect: pick('Dialect of the caller, where no path is given.', DIALECTS).default('openai-chat'),
    model: text('Model that the caller names; left out: none.').optional(),
    stream: flag('The caller asks for a stream.').default(false),
    headers: z
      .record(name('A header field.'), text('Its value.'))
      .describe('Header fields of the call.')
      .default({}),
    body: z
      .record(z.string(), z.unknown())
      .describe('Members of the body; they take the place of those of a smallest call.')
      .default({}),
  })
  .describe('The call, as far as it matters.')

const facts = z
  .strictObject({
    unavailable: list('Provider entries that are resting after failures.', name('A provider entry.')).default(
      [],
    ),
    random: amount('Every random draw, from 0 up to but not including 1.', 0, 0.999_999).default(0),
  })
  .describe('What is otherwise decided by the hour: held still for the test.')

const loss = z.union([
  name('Field of the body, as a JSON pointer.'),
  z
    .strictObject({
      field: name('Field of the body, as a JSON pointer.'),
      action: pick('What becomes of it.', ['drop', 'map', 'emulate']).optional(),
      reason: name('Why it is lost.').optional(),
    })
    .describe('A loss in full.'),
])

const expectation = z
  .strictObject({
    status: z
      .int()
      .min(STATUS_MIN)
      .max(STATUS_MAX)
      .describe('Status of the answer; 200: the call would reach its provider.')
      .optional(),
    error: name('Text that the error message contains.').optional(),
    model: name('Model sent to the provider, with or without the vendor in front.').optional(),
    provider: name('Name of the provider entry, or its vendor.').optional(),
    upstream_dialect: pick('Dialect spoken to the provider.', DIALECTS).optional(),
    url: name(
      'Address of the call to the provider; its query is compared only where one is named here.',
    ).optional(),
    losses: z
      .array(loss)
      .max(256)
      .describe('Everything that the provider cannot be told, in any order; [] means nothing.')
      .optional(),
    limit: pick('Verdict of the limits.', ['pass', 'refuse']).optional(),
    guard: pick('Verdict of the guards.', ['pass', 'refuse', 'redact']).optional(),
  })
  .describe('What must become of it; keys that are left out are not looked at.')

export const configTest = z.strictObject({
  name: name('What is promised, as a sentence.'),
  request,
  facts: facts.prefault({}),
  expect: expectation,
})

export type ConfigTestEntry = z.output<typeof configTest>
