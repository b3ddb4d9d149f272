// The version of this build, read from the package it belongs to.

import { readFileSync } from 'node:fs'

/** The package file is found from the sources (`src/common`) and from the build (`dist/src/common`) alike. */
function findVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (found.name === 'sluice' && found.version !== undefined) return found.version
    } catch {
      // The other place has it.
    }
  }
  return 'unknown'
}

export const VERSION: string = findVersion()
