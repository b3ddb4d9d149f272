// Loaded into every thread of a gateway under test (`node --import`). In shard 1 it waits for an order, a file with
// one word, and then does what no shard should.

import { existsSync, readFileSync, unlinkSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

const order = process.env['SABOTAGE_FILE'] ?? ''
const { shard } = (workerData ?? {}) as { shard?: number }

if (!isMainThread && shard === 1 && order !== '') {
  setInterval(() => {
    if (!existsSync(order)) return
    const word = readFileSync(order, 'utf8')
    unlinkSync(order)
    if (word === 'throw') throw new Error('sabotage')
    if (word === 'reject') void Promise.reject(new Error('sabotage'))
    if (word === 'exit') process.exit(9)
    if (word === 'spin') spin()
    if (word === 'match') /^(a+)+$/.test(`${'a'.repeat(60)}!`)
  }, 20).unref()
}

function spin(): never {
  for (;;);
}
