// Thread entry of the compute pool: lends the tasks to Piscina under their names. A translated body goes back as it
// came, by handing its buffer over.

import { move, transferableSymbol, valueSymbol } from 'piscina'
import { TASKS, type TranslateWish } from '../src/compute/index.ts'

export const { count, warm } = TASKS

export function translate(wish: TranslateWish): unknown {
  const data = TASKS.translate(wish)
  if (data.written === null) return data
  return move({ [transferableSymbol]: [data.written.body.buffer], [valueSymbol]: data })
}
