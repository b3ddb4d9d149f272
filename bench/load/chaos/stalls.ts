// When this process itself was held up: the callers and the upstreams of the soak share its one loop, so what came late
// then is the machine's doing and nobody's fault.

const LOOK_MS = 20
/** A loop that is this late has made an upstream late by a good part of the shortest time-out. */
const LATE_MS = 300
/** Behind a stall the work that piled up is still to be done. */
const AFTERMATH_MS = 500

export class Stalls {
  private readonly found: { readonly fromMs: number; readonly toMs: number }[] = []
  private lookedMs = performance.now()
  private readonly timer: NodeJS.Timeout

  constructor() {
    this.timer = setInterval(() => this.look(), LOOK_MS)
  }

  get count(): number {
    return this.found.length
  }

  between(fromMs: number, toMs: number): boolean {
    return this.found.some(stall => stall.fromMs < toMs && stall.toMs + AFTERMATH_MS > fromMs)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private look(): void {
    const nowMs = performance.now()
    if (nowMs - this.lookedMs > LATE_MS) this.found.push({ fromMs: this.lookedMs, toMs: nowMs })
    this.lookedMs = nowMs
  }
}
