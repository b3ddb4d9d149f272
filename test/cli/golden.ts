// Golden files of the command line. UPDATE_GOLDENS=1 writes them anew.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

const FOLDER = join(import.meta.dirname, 'golden')

export function expectGolden(name: string, text: string): void {
  const path = join(FOLDER, `${name}.txt`)
  if (process.env['UPDATE_GOLDENS'] === '1') {
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(path, text)
    return
  }
  let golden = ''
  try {
    golden = readFileSync(path, 'utf8')
  } catch {
    // A missing golden file differs from any output.
  }
  expect(text).toBe(golden)
}
