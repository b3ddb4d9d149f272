// Every scenario, in the order in which a run goes through them.

import { chaos } from './chaos.ts'
import { chat } from './chat.ts'
import { failover } from './failover.ts'
import { half } from './half.ts'
import { held } from './held.ts'
import { latency } from './latency.ts'
import { leavers } from './leavers.ts'
import { paced } from './paced.ts'
import { prompts } from './prompts.ts'
import type { Scenario } from './scenario.ts'
import { slow } from './slow.ts'
import { start } from './start.ts'
import { firstByte, stream } from './stream.ts'
import { translated, translatedHeld, translatedPaced } from './translated.ts'

export type { Column, Job, JobResult, Measures, PeerFacts, Scenario, Settings } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [
  start,
  chat,
  latency,
  half,
  stream,
  paced,
  firstByte,
  held,
  prompts,
  slow,
  leavers,
  translated,
  translatedPaced,
  translatedHeld,
  failover,
  chaos,
]

export function scenarioNamed(name: string): Scenario | null {
  return SCENARIOS.find(scenario => scenario.name === name) ?? null
}
