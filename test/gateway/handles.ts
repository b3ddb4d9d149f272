// That a suite leaves nothing running: sockets and timers of this thread, counted before its first test and after each.

import { expect } from 'vitest'
import { until } from '../support/fake-upstream/index.ts'

function held(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter(name => /TCP|TLS|Timeout|Immediate|Req/.test(name))
    .sort()
}

export class Handles {
  private readonly before = held()

  /** Fails, naming what is left, when something is that was not there at first. */
  async noneLeft(): Promise<void> {
    await until('no socket and no timer is left', () => held().length <= this.before.length).catch(() => {})
    expect(held(), 'no socket and no timer is left').toEqual(this.before)
  }
}
