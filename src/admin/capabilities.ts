// What becomes of each feature between each two dialects, as the conformance tests measured it. Owns finding the file
// that ships with the installation; refuses to know what it says.

import { readFileSync } from 'node:fs'

/** From the sources, and from the build. */
const PLACES = ['../../config/capabilities.json', '../../../config/capabilities.json'] as const

let text: string | null = null

/** The document as it is stored. Read when it is first asked for: no other path needs it. */
export function capabilitiesText(): string {
  text ??= read()
  return text
}

function read(): string {
  for (const place of PLACES) {
    try {
      return readFileSync(new URL(place, import.meta.url), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error('config/capabilities.json is missing from the installation')
}
