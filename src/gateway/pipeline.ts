// The compositions: which stages an operation runs, in which order. Stages are functions of the exchange; this
// file is the only one that knows their order.

import type { Exchange, Operate } from './exchange.ts'
import { Attempts, type Prepare } from './stages/attempts.ts'
import { countHere, prepareCount, vendorCounts } from './stages/count.ts'
import { forwardEmbeddings, forwardWhole } from './stages/forward.ts'
import { prepareCall } from './stages/prepare.ts'
import { readRequest } from './stages/read.ts'
import { routeExchange, type Target } from './stages/route.ts'

/** A model call: read, route, attempt; the reply and the settlement follow from the attempts. */
export const generate: Operate = exchange => {
  const scan = readRequest(exchange)
  begin(exchange, routeExchange(exchange, exchange.pathModel ?? scan.model), prepareCall)
}

/** A token count: read, route, then either the vendor's own count or ours. */
export const countTokens: Operate = exchange => {
  const scan = readRequest(exchange)
  const [target] = routeExchange(exchange, exchange.pathModel ?? scan.model)
  if (vendorCounts(exchange, target!)) begin(exchange, [target!], prepareCount)
  else countHere(exchange, target!.model)
}

/** A request that is passed on as it is: see `forwarded.ts`. Forms never come here; `stages/upload.ts` takes them. */
export const forward: Operate = forwardWhole

/** Embeddings: forwarded to those who make them as OpenAI does, translated for the others. */
export const embed: Operate = forwardEmbeddings

function begin(exchange: Exchange, targets: readonly Target[], prepare: Prepare): void {
  exchange.attempts = new Attempts(exchange, targets, prepare)
  exchange.attempts.start()
}
