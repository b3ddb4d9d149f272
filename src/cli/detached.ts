// The inside of a detached gateway: the same `serve`, with its two streams in files of its run folder. The trick: only
// the streams of this process are exchanged, so nothing below knows that it is detached, and one process is enough.

import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServeOptions } from '../serve.ts'
import { PATHS } from './instance.ts'
import { RotatingFile, TrimmedFile } from './rotating-file.ts'

/** Two files of a busy day; together what `logs` can look back on. */
const LOG_BYTES_MAX = 16 * 1024 * 1024
const LOG_FILES_MAX = 4
/** Start-up lines and failures: more than anybody scrolls. */
const MESSAGES_BYTES_MAX = 1024 * 1024

export async function serveDetached(folder: string, options: ServeOptions): Promise<number> {
  const log = new RotatingFile(join(folder, PATHS.log), { bytesMax: LOG_BYTES_MAX, filesMax: LOG_FILES_MAX })
  const messages = new TrimmedFile(openSync(join(folder, PATHS.messages), 'a+', 0o600), MESSAGES_BYTES_MAX)
  Object.defineProperty(process, 'stdout', { value: log })
  Object.defineProperty(process, 'stderr', { value: messages })
  // `down` reads how it ended; nobody is left to take an exit code.
  process.on('exit', code => writeFileSync(join(folder, PATHS.exit), `${code}\n`, { mode: 0o600 }))
  const { serve } = await import('../serve.ts')
  return await serve(options)
}
