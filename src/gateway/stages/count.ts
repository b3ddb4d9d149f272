// `count_tokens`: forwarded where the vendor itself counts, counted here for every other model. A count of ours
// says so in a header, because only the vendor's own is exact.

import type { Exchange } from '../exchange.ts'
import { headersToClient } from '../forward-headers.ts'
import { jsonReply } from '../replies.ts'

/** Counts in the compute pool and answers in the caller's form. */
export function countHere(exchange: Exchange, model: string): void {
  const { services, dialect, bytes } = exchange
  services.countTokens(model, dialect, bytes).then(
    count => {
      const document =
        dialect === 'gemini-generate' ? { totalTokens: count.tokens } : { input_tokens: count.tokens }
      const reply = jsonReply(200, document)
      const source = `${count.estimated ? 'estimated' : 'counted'}; encoding=${count.encoding}`
      const headers = headersToClient(reply.headers, exchange.requestId, exchange.view.hash)
      headers.push('x-gateway-token-count', source)
      exchange.answer(reply.status, headers, reply.body, 'ok')
    },
    (thrown: unknown) => exchange.fail(thrown),
  )
}
