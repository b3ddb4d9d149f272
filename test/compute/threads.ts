// Thread entries for tests: the compiled one, and one that misbehaves on command.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** This Node reads no TypeScript, so threads run what `tsc -b` made of it; `npm test` builds first. */
export const WORKER_URL = new URL('../../dist/workers/compute.js', import.meta.url)
if (!existsSync(WORKER_URL)) throw new Error('dist/workers/compute.js is missing: run npm run build first')

export interface Misbehaving {
  /** Counts say in `model` what is to happen. */
  readonly url: URL
  remove(): void
}

export function misbehavingWorker(): Misbehaving {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-compute-'))
  const file = join(folder, 'worker.mjs')
  writeFileSync(
    file,
    `
      import { threadId } from 'node:worker_threads'
      const wait = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
      export const warm = () => []
      export function count({ model, body }) {
        const [what, ms] = model.split(':')
        if (what === 'wait') wait(Number(ms))
        if (what === 'throw') throw new Error('on command')
        if (what === 'exit') process.exit(7)
        if (what === 'fill') { const all = []; for (;;) all.push(new Array(1e6).fill(all.length + 0.5)) }
        if (what === 'env') return { tokens: Object.keys(process.env).length, estimated: false, encoding: 'env' }
        if (what === 'thread') return threadId
        return { tokens: body.length, estimated: false, encoding: 'test' }
      }
      export const translate = ({ target, body }) => count({ model: target.model, body })
    `,
  )
  return { url: pathToFileURL(file), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
