// Prints the JSON Schema: `npm run schema` puts it into config/gateway.schema.json.

import { configJsonSchema } from './schema/written.ts'

process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
