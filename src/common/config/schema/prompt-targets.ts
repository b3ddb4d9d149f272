// `prompt_targets` and `prompt_guards`: function calling on prompt listeners.

import { z } from 'zod'
import { flag, list, name, pick, text } from './pieces.ts'

/** The reference's schema takes three types here and its program dies of two of them. */
const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be text, a number or a boolean',
})

const parameter = z.strictObject({
  name: name('Name of the parameter.'),
  description: text('What it is; the model reads this.'),
  type: name('Type of the parameter.'),
  required: flag('The target is not called without it.').default(false),
  default: scalar.describe('Value used when the prompt names none.').optional(),
  enum: list('Allowed values.', scalar).optional(),
  in_path: flag('Accepted for old files; has no meaning.').optional(),
  format: text('Format hint for the model.').optional(),
})

export const promptTarget = z.strictObject({
  name: name('Name of the function.'),
  description: text('What the function does; the model reads this.'),
  default: flag('Target of prompts that match none.').default(false),
  auto_llm_dispatch_on_response: flag(
    "Let a model phrase the answer; false returns the endpoint's reply.",
  ).default(true),
  system_prompt: text('System message for this target; default: the one at the top.').optional(),
  endpoint: z
    .strictObject({
      name: name('An entry of `endpoints`.'),
      path: name('Path with `{parameter}` placeholders.'),
      http_method: pick('GET puts left-over parameters into the query, POST sends JSON.', [
        'GET',
        'POST',
      ]).default('GET'),
      http_headers: z
        .record(z.string().max(200), z.string().max(8_192))
        .describe('Header fields to send.')
        .optional(),
    })
    .describe('What is called.')
    .optional(),
  parameters: list('What the model must extract from the prompt.', parameter).optional(),
})

const guard = z.strictObject({
  on_exception: z
    .strictObject({ message: text('Reply to a prompt that the guard stops.').optional() })
    .describe('What happens then.')
    .optional(),
})

export const promptGuards = z
  .strictObject({
    input_guards: z
      .strictObject({
        jailbreak: guard.describe('Stops attempts to talk the model out of its instructions.').optional(),
      })
      .describe('Guards over prompts.')
      .optional(),
  })
  .describe('Guards over content.')

export type PromptTargetEntry = z.output<typeof promptTarget>
