// The language as people may write it, old forms included, and the JSON Schema that editors read. What the gateway
// itself checks is `document.ts`, after migration.

import { z } from 'zod'
import { document } from './document.ts'
import { legacyListeners } from './listeners.ts'
import { list } from './pieces.ts'
import { provider } from './providers.ts'

const { shape } = document

const written = document.extend({
  listeners: z
    .union([shape.listeners, legacyListeners])
    .describe('The sockets: a list. The map of old files is still read.'),
  llm_providers: list('Deprecated name of `model_providers`.', provider).optional(),
})

/** JSON Schema (draft 7, which every editor knows) of a configuration file. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(written, { io: 'input', unrepresentable: 'any', target: 'draft-7' })
  return {
    $schema: schema.$schema,
    title: 'Sluice configuration',
    description: 'A configuration file of the gateway.',
    ...schema,
  }
}
