// A clock that tests turn and a token endpoint that tests write.

import type { Clock } from '../../../src/common/clock.ts'
import type { TokenReply, TokenRequest } from '../../../src/providers/index.ts'

export class TurnedClock implements Clock {
  nowMs = Date.parse('2026-01-02T03:04:05Z')

  epochMs(): number {
    return this.nowMs
  }

  monotonicMs(): number {
    return this.nowMs
  }
}

/** Records what it is asked and answers what it is told. */
export class TokenEndpoint {
  readonly asked: TokenRequest[] = []
  answer: (request: TokenRequest) => TokenReply | Promise<TokenReply> = () => ({
    status: 200,
    headers: [],
    body: JSON.stringify({ access_token: `token-${this.asked.length}`, expires_in: 3600 }),
  })

  readonly fetch = async (request: TokenRequest): Promise<TokenReply> => {
    this.asked.push(request)
    return this.answer(request)
  }

  form(at = this.asked.length - 1): Record<string, string> {
    return Object.fromEntries(new URLSearchParams(this.asked[at]!.body ?? ''))
  }
}

export function refusing(status: number, body: unknown): () => TokenReply {
  return () => ({ status, headers: [], body: typeof body === 'string' ? body : JSON.stringify(body) })
}
