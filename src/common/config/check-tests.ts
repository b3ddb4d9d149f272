// The `tests:` block as the loader hands it on: what each test asks and expects, and where each expectation stands in
// the file, so that one that fails is told like any other mistake. Owns no judgement: what the gateway would do with a
// request only the gateway can say.

import type { ConfigIssue } from './issues.ts'
import type { Path, Places } from './places.ts'
import type { ConfigTestEntry } from './schema/tests.ts'

export type Expectation = keyof ConfigTestEntry['expect']

/** Where one thing of a test stands. */
type TestPlace = Pick<ConfigIssue, 'file' | 'line' | 'column' | 'path'>

export interface ConfigTest {
  readonly name: string
  readonly request: ConfigTestEntry['request']
  readonly facts: ConfigTestEntry['facts']
  readonly expect: ConfigTestEntry['expect']
  /** Of the test itself under the empty text, of its expectations under their keys. */
  readonly places: ReadonlyMap<string, TestPlace>
  /** Takes the secrets of the file out of a message. */
  readonly scrub: (text: string) => string
}

export function configTests(
  entries: readonly ConfigTestEntry[],
  file: string,
  tree: unknown,
  places: Places,
  scrub: ConfigTest['scrub'],
): ConfigTest[] {
  return entries.map(({ name, request, facts, expect }, at) => {
    const path: Path = ['tests', at]
    const found = new Map<string, TestPlace>([['', { file, ...places.at(tree, path) }]])
    for (const key of Object.keys(expect)) {
      found.set(key, { file, ...places.at(tree, [...path, 'expect', key]) })
    }
    return { name, request, facts, expect, places: found, scrub }
  })
}

/** A test that fails, as a finding at the expectation that does not hold. */
export function testIssue(test: ConfigTest, key: Expectation | null, message: string): ConfigIssue {
  const place = test.places.get(key ?? '') ?? test.places.get('')!
  const text = test.scrub(`the test \`${test.name}\` fails: ${message}`)
  return { code: 'S19', severity: 'error', ...place, message: text }
}
