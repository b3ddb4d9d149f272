// What the pool can be asked: functions of their arguments, without sockets, clocks or state that matters. Owns the
// list; `workers/compute.ts` lends it to the pool, which calls a task by its name.

import type { DialectId } from '../translate/index.ts'
import { countBody } from './counting/count.ts'
import { loadedEncodings, STAND_IN, tokenizerOf } from './encodings.ts'
import type { TokenCount } from './estimate.ts'
import { type TranslatedData, type TranslateWish, translateToData } from './translation.ts'

export interface CountWish {
  readonly model: string
  readonly dialect: DialectId
  readonly body: Uint8Array
}

export const TASKS = {
  count: (wish: CountWish): Promise<TokenCount> => countBody(wish.model, wish.dialect, wish.body),

  translate: (wish: TranslateWish): TranslatedData => translateToData(wish),

  /** Loads what most counts need; the answer is the encodings this thread holds. */
  warm: async (): Promise<readonly string[]> => {
    await tokenizerOf(STAND_IN.encoding)
    return loadedEncodings()
  },
}
