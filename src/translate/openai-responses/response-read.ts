// What a response object says about the reply as a whole: the same at the head of a stream and in a whole body.

import { type Members, textOf, textOrNull } from '../bytes/json-look.ts'
import type { TurnHead } from '../turn.ts'

export function headOf(response: Members): TurnHead {
  const created = response['created_at']
  const tier = textOrNull(response['service_tier'])
  return {
    id: textOf(response['id']),
    model: textOf(response['model']),
    createdS: typeof created === 'number' ? Math.trunc(created) : null,
    // While a reply runs, the tier is only what was asked for.
    tier: tier === 'auto' ? null : tier,
    usage: null,
  }
}
