// A token and its renewal. Owns that one request is under way at a time, that a token is renewed before it expires
// while the old one still serves, and that a token endpoint in trouble is not asked by every call.
// The trick: in the last part of a token's life calls use it and start the renewal; only without a valid one they wait.

import type { Clock } from '../../common/clock.ts'

export interface Token {
  /** Header fields that show it. */
  readonly fields: readonly string[]
  readonly expiresAtMs: number
}

/** Renewal begins this long before the end: time for several tries. */
const EARLY_MS = 5 * 60_000
/** Of a short life this much is the renewal's. */
const EARLY_SHARE = 0.2
/** A token this close to its end might be refused when it arrives. */
const LATE_MS = 10_000
/** After a failure nobody is asked for this long. */
const PAUSE_MS = 1_000
/** A token younger than this is not given up because an upstream refused it: another would be no better. */
const YOUNG_MS = 30_000

export class TokenCache {
  private readonly clock: Clock
  private readonly obtain: () => Promise<Token>
  private token: Token | null = null
  private obtainedAtMs = 0
  private renewal: Promise<Token> | null = null
  private failure: unknown = null
  private failedAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, obtain: () => Promise<Token>) {
    this.clock = clock
    this.obtain = obtain
  }

  get(): Token | Promise<Token> {
    const now = this.clock.epochMs()
    const { token } = this
    if (token === null || token.expiresAtMs - LATE_MS <= now) return this.renew(now)
    const early = Math.min(EARLY_MS, (token.expiresAtMs - this.obtainedAtMs) * EARLY_SHARE)
    if (token.expiresAtMs - early <= now) void this.renew(now).catch(() => {})
    return token
  }

  /** An upstream refused it. */
  refused(): void {
    if (this.clock.epochMs() - this.obtainedAtMs > YOUNG_MS) this.token = null
  }

  private renew(now: number): Promise<Token> {
    if (this.renewal !== null) return this.renewal
    if (now - this.failedAtMs < PAUSE_MS) return Promise.reject(this.failure)
    this.renewal = this.obtain().then(
      token => {
        this.renewal = null
        this.token = token
        this.obtainedAtMs = this.clock.epochMs()
        return token
      },
      (thrown: unknown) => {
        this.renewal = null
        this.failure = thrown
        this.failedAtMs = this.clock.epochMs()
        throw thrown
      },
    )
    return this.renewal
  }
}

/** The token of an OAuth reply; null when there is none in it. */
export function bearerToken(read: Readonly<Record<string, unknown>> | null, nowMs: number): Token | null {
  const token = read?.['access_token']
  // Azure's services tell the end instead, as text.
  const lifeS = Number(read?.['expires_in'] ?? Number(read?.['expires_on']) - nowMs / 1_000)
  if (typeof token !== 'string' || token === '' || /[\r\n\0]/.test(token)) return null
  const lifeMs = Number.isFinite(lifeS) && lifeS > 0 ? lifeS * 1_000 : EARLY_MS
  return { fields: ['authorization', `Bearer ${token}`], expiresAtMs: nowMs + lifeMs }
}
