// Asks every pair of dialects what becomes of every feature, and prints the answers. Owns the trick that makes the
// matrix a measurement: what a writer wrote is read back by the reader of the dialect it was written in, and the
// feature is looked for there.

import { type DialectId, DIALECTS, PATH_DIALECTS } from '../../src/translate/dialect.ts'
import { readPrompt, writePrompt } from '../../src/translate/pair.ts'
import type { Prompt } from '../../src/translate/prompt.ts'
import type { ModelFacts } from '../../src/translate/target.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { ableTarget } from '../translate/harness.ts'
import { bytesOf, type Json } from './features/bodies.ts'
import type { Feature } from './features/feature.ts'

/** `silent`: gone, and nobody was told. No matrix with such a cell is ever written. */
export type Cell =
  | 'native'
  | 'translated'
  | 'not shown'
  | `lossy(${string})`
  | 'refused'
  | 'unsayable'
  | 'silent'

export function sampleOf(feature: Feature, client: DialectId, upstream: DialectId): Json | null {
  const sample = feature.samples[client]
  return typeof sample === 'function' ? sample(upstream) : sample
}

/** A body as its own dialect reads it. */
export function read(dialect: DialectId, body: Uint8Array, stream: boolean): Prompt {
  const path = PATH_DIALECTS.has(dialect) ? { model: 'asked-model', stream } : null
  return readPrompt(dialect, body, path)
}

/** What a model of a dialect can do that the other suites do not need. */
const CAPABLE: Readonly<Record<DialectId, Partial<ModelFacts>>> = {
  'openai-chat': { webSearch: 'web_search_options' },
  'openai-responses': {},
  'anthropic-messages': { webSearch: 'web_search_20250305' },
  'bedrock-converse': { stopsMax: 2500 },
  'gemini-generate': {},
}

/** What became of one body on its way to an upstream. */
export function journey(feature: Feature, client: DialectId, upstream: DialectId, sample: Json): Cell {
  const prompt = read(client, bytesOf(sample), true)
  let codes: string[]
  let arrived: boolean
  try {
    const facts = { ...CAPABLE[upstream], ...feature.facts?.[upstream] }
    const written = writePrompt(prompt, upstream, ableTarget(upstream, facts), false)
    codes = [...new Set(written.losses.map(loss => `${loss.action}:${loss.reason}`))].sort()
    arrived = feature.arrived(read(upstream, written.body, prompt.stream))
  } catch (error) {
    if (error instanceof TranslateError && error.kind === 'unsupported' && error.param !== null)
      return 'refused'
    throw error
  }
  if (codes.length > 0) return `lossy(${codes.join(', ')})`
  if (!arrived) return 'silent'
  return client === upstream ? 'native' : 'translated'
}

/** True when a strict caller is refused, before anybody is called. */
export function strictlyRefused(feature: Feature, client: DialectId, upstream: DialectId): boolean {
  const sample = sampleOf(feature, client, upstream)
  const facts = { ...CAPABLE[upstream], ...feature.facts?.[upstream] }
  try {
    writePrompt(read(client, bytesOf(sample!), true), upstream, ableTarget(upstream, facts), true)
    return false
  } catch (error) {
    if (error instanceof TranslateError) return true
    throw error
  }
}

export function cellOf(feature: Feature, client: DialectId, upstream: DialectId): Cell {
  const sample = sampleOf(feature, client, upstream)
  return sample === null ? 'unsayable' : journey(feature, client, upstream, sample)
}

export interface Row {
  readonly id: string
  readonly about: string
  /** By client, then by upstream. */
  readonly cells: Readonly<Record<DialectId, Readonly<Record<DialectId, Cell>>>>
}

export interface Capabilities {
  readonly about: string
  readonly dialects: readonly DialectId[]
  readonly prompts: readonly Row[]
  readonly replies: readonly Row[]
}

/** One row, its cells in the order of the dialects. */
export function rowOf(
  { id, about }: { readonly id: string; readonly about: string },
  cell: (client: DialectId, upstream: DialectId) => Cell,
): Row {
  const byUpstream = (client: DialectId): Record<DialectId, Cell> =>
    Object.fromEntries(DIALECTS.map(upstream => [upstream, cell(client, upstream)])) as Record<
      DialectId,
      Cell
    >
  const cells = Object.fromEntries(DIALECTS.map(client => [client, byUpstream(client)])) as Row['cells']
  return { id, about, cells }
}

const HEAD = `# Capabilities

What becomes of each feature between each client dialect and each upstream dialect, for a model that can do all its
dialect can say. Written by \`test/conformance/capabilities.test.ts\` from what the translators did, never by hand;
also at \`GET /capabilities\` of the admin listener.

| word | means |
| --- | --- |
| native | the same dialect on both sides: relayed as it is |
| translated | it arrives, and nothing was reported |
| lossy(codes) | the client is told in \`x-gateway-warnings\`: \`drop\` left out, \`map\` said with a bounded loss, \`emulate\` achieved another way; \`x-gateway-strict\` refuses the first two |
| refused | 400 in the client's dialect, naming the member |
| not shown | replies only: the client's dialect has no place for it |
| · | the client's dialect (replies: the upstream's) cannot say it |

A model that can do less than its dialect turns cells into losses or refusals; \`config/models.json\` says which can
what.
`

/** The matrix for people: one table per client. */
export function markdownOf(matrix: Capabilities): string {
  const sections = [HEAD]
  for (const [title, rows] of [
    ['Prompts', matrix.prompts],
    ['Replies', matrix.replies],
  ] as const) {
    for (const client of matrix.dialects) {
      const lines = rows
        .filter(row => matrix.dialects.some(upstream => row.cells[client][upstream] !== 'unsayable'))
        .map(row => {
          const cells = matrix.dialects.map(upstream => row.cells[client][upstream])
          const shown = cells.map(cell => (cell === 'unsayable' ? '·' : cell))
          return `| ${row.id} | ${row.about} | ${shown.join(' | ')} |`
        })
      sections.push(
        [
          `## ${title}: clients of ${client}`,
          '',
          `| feature | what it is | ${matrix.dialects.join(' | ')} |`,
          `| --- | --- |${' --- |'.repeat(matrix.dialects.length)}`,
          ...lines,
          '',
        ].join('\n'),
      )
    }
  }
  return sections.join('\n')
}
