// The engine's side of a request that needs no body: lists, health, and every refusal that is known from the
// header block alone. The answer may already be on its way; the body, if any, is read and dropped.

import type { GatewayError } from '../common/errors.ts'
import type { BodyMode, RequestSink } from './edge.ts'

export class Immediate implements RequestSink {
  readonly bodyMode: BodyMode = 'discard'
  readonly bodyBytesMax: number
  private readonly onGone: (() => void) | null

  constructor(bodyBytesMax: number, onGone: (() => void) | null = null) {
    this.bodyBytesMax = bodyBytesMax
    this.onGone = onGone
  }

  body(_bytes: Uint8Array): void {}

  chunk(_bytes: Uint8Array): boolean {
    return true
  }

  bodyEnd(): void {}

  bodyFailed(_error: GatewayError): void {}

  drained(): void {}

  gone(): void {
    this.onGone?.()
  }
}
