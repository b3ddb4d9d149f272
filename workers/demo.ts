// Thread entry of the demo provider: listens on loopback and tells its parent where.

import { parentPort } from 'node:worker_threads'
import { startDemo } from '../src/demo/index.ts'

const demo = await startDemo()
parentPort?.postMessage({ origin: demo.origin })
