// Every peer a run can include. The order is the order of the table's columns.

import { direct } from './direct.ts'
import { litellm } from './litellm.ts'
import { nginx } from './nginx.ts'
import { portkey } from './portkey.ts'
import { sluice } from './sluice.ts'
import type { Target } from './target.ts'

export type { Peer, StartFacts, Target } from './target.ts'

export const TARGETS: readonly Target[] = [direct, nginx, sluice, portkey, litellm]
