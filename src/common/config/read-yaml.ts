// YAML text to plain objects with places. Owns the bounds of a file and the sentences for broken YAML; the parser's
// own messages are not used, because they quote the file, and a file has secrets in it.
//
// YAML 1.1, as the reference's safe loader reads it: `yes` and `on` are booleans, `0.4` is a number. Dates, binary
// and sets are not: nothing in the language takes one, and text that looks like one should stay text.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml'
import type { Findings } from './issues.ts'
import type { Path, Places, Tree } from './places.ts'

/** A gateway's file is a few kilobytes; this is the size at which somebody passed the wrong file. */
const FILE_BYTES_MAX = 4 * 1024 * 1024
/** Values in a file after anchors are unfolded: stops files that double at every line. */
const VALUES_MAX = 100_000
/** The language is six levels deep; schemas in prompt targets may be a little more. */
const DEPTH_MAX = 64

const SENTENCES: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias names an anchor that does not exist',
  BAD_INDENT: 'the indentation does not fit what stands above, or a bracket is not closed',
  BAD_DQ_ESCAPE: 'this quoted text has an unknown escape; use single quotes or `\\\\`',
  BAD_SCALAR_START: 'a value cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `:` on this line; put the value in quotes',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside brackets',
  DUPLICATE_KEY: 'this key stands twice',
  KEY_OVER_1024_CHARS: 'this key is too long',
  MISSING_CHAR: 'a dash, quote, bracket, comma or colon is missing here, or the indentation is wrong',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; a quote or a colon is missing',
  MULTIPLE_DOCS: 'only one document is read from a file',
  TAB_AS_INDENT: 'a tab cannot indent; use blanks',
  TAG_RESOLVE_FAILED: 'this tag is not known',
  UNEXPECTED_TOKEN: 'this is not expected here',
}

const UNUSED_TAGS = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set', 'intTime', 'floatTime'])

/** The file as a tree, or null with the reasons in `findings`. */
export function readYaml(text: string, findings: Findings, places: Places): unknown {
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    findings.errorAt('S01', null, null, `the file is larger than ${FILE_BYTES_MAX} bytes`)
    return null
  }
  const lines = new LineCounter()
  let documents: readonly Document[]
  try {
    documents = parse(text, lines)
  } catch {
    // The parser recurses; a file nested thousands deep ends its stack.
    findings.errorAt('S01', null, null, 'the file is nested too deeply to be read')
    return null
  }
  if (documents.length > 1) {
    findings.errorAt('S01', null, null, SENTENCES['MULTIPLE_DOCS']!)
    return null
  }
  const document = documents[0]
  if (document === undefined || document.contents === null) {
    findings.errorAt('E01', 1, 1, 'the file is empty; the smallest file has `version` and `listeners`')
    return null
  }
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0])
    findings.errorAt('S01', line, col, `not valid YAML: ${SENTENCES[error.code] ?? 'it cannot be read here'}`)
  }
  if (document.errors.length > 0) return null
  places.countLines(offset => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  })
  const reader = new TreeReader(document, lines, findings, places)
  return reader.read()
}

function parse(text: string, lineCounter: LineCounter): readonly Document[] {
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
    logLevel: 'silent',
    customTags: tags =>
      tags
        .filter(tag => typeof tag === 'string' || !UNUSED_TAGS.has(shortName(tag.tag, tag.format)))
        .map(tag => (typeof tag === 'object' && isBooleanTag(tag) ? withoutLetters(tag) : tag)),
  })
  return Array.isArray(parsed) ? (parsed as Document[]) : []
}

interface BooleanTag {
  readonly tag: string
  readonly test?: RegExp
}

function isBooleanTag(tag: BooleanTag): boolean {
  return tag.tag.endsWith(':bool') && tag.test !== undefined
}

/** The letters `y` and `n` stay text, as in the reference's loader: people name things so. */
function withoutLetters<T extends BooleanTag>(tag: T): T {
  const yes = tag.test!.test('true')
  const test = yes ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/ : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/
  return { ...tag, test }
}

function shortName(tag: string, format: string | undefined): string {
  if (format === 'TIME') return 'intTime'
  return tag.slice(tag.lastIndexOf(':') + 1)
}

class TreeReader {
  private readonly document: Document
  private readonly lines: LineCounter
  private readonly findings: Findings
  private readonly places: Places
  private readonly targets: ReadonlyMap<Alias, Node>
  private values = 0
  private refused = false

  constructor(document: Document, lines: LineCounter, findings: Findings, places: Places) {
    this.document = document
    this.lines = lines
    this.findings = findings
    this.places = places
    this.targets = aliasTargets(document)
  }

  read(): unknown {
    const tree = this.value(this.document.contents as Node, [], 0)
    return this.refused ? null : tree
  }

  private value(node: Node | null, path: Path, depth: number): unknown {
    if (node === null || this.refused) return null
    if (depth > DEPTH_MAX || ++this.values > VALUES_MAX) {
      const { line, col } = this.position(node)
      const what = depth > DEPTH_MAX ? 'nested too deeply' : 'too large once its aliases are unfolded'
      this.findings.errorAt('S01', line, col, `the file is ${what}`)
      this.refused = true
      return null
    }
    if (isAlias(node)) return this.aliased(node, path, depth)
    if (isMap(node)) return this.map(node, path, depth)
    if (isSeq(node)) {
      const list: unknown[] = []
      this.places.note(list, path, offsetOf(node))
      for (const [at, item] of node.items.entries()) {
        list.push(this.value(item as Node | null, [...path, at], depth + 1))
        const offset = offsetOf(item as Node | null)
        this.places.noteKey(list, at, offset, offset)
      }
      return list
    }
    return isScalar(node) ? scalarValue(node.value) : null
  }

  private aliased(node: Alias, path: Path, depth: number): unknown {
    const target = this.targets.get(node)
    if (target !== undefined) return this.value(target, path, depth + 1)
    const { line, col } = this.position(node)
    this.findings.errorAt('S01', line, col, `not valid YAML: ${SENTENCES['BAD_ALIAS']}`)
    this.refused = true
    return null
  }

  private map(node: { items: readonly unknown[]; range?: unknown }, path: Path, depth: number): Tree {
    const tree: Tree = Object.create(null) as Tree
    this.places.note(tree, path, offsetOf(node as Node))
    const merged: Node[] = []
    for (const item of node.items) {
      const { key, value } = item as { key: Node | null; value: Node | null }
      if (isMergeKey(key)) {
        if (value !== null) merged.push(value)
        continue
      }
      const name = keyText(key)
      if (Object.hasOwn(tree, name)) {
        const message = 'this key stands twice; the last one is used'
        const { line, col } = this.position(key)
        this.findings.warnAt('W01', line, col, [...path, name], message)
      }
      tree[name] = this.value(value, [...path, name], depth + 1)
      this.places.noteKey(tree, name, offsetOf(key), offsetOf(value ?? key))
    }
    for (const source of merged) this.merge(tree, source, path, depth)
    return tree
  }

  /** Keys written in the map win over merged ones; of several merged maps the first wins. */
  private merge(tree: Tree, source: Node, path: Path, depth: number): void {
    const from = this.value(source, path, depth + 1)
    for (const part of Array.isArray(from) ? from : [from]) {
      if (typeof part !== 'object' || part === null) continue
      for (const [name, value] of Object.entries(part as Tree)) {
        if (!Object.hasOwn(tree, name)) tree[name] = value
      }
    }
  }

  private position(node: Node | null): { line: number; col: number } {
    return this.lines.linePos(offsetOf(node))
  }
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0
}

/** What each alias stands for: the last anchor of its name above it. One walk, because looking each up costs one. */
function aliasTargets(document: Document): Map<Alias, Node> {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source)
        if (target !== undefined) targets.set(node, target)
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node)
    },
  })
  return targets
}

function isMergeKey(key: unknown): boolean {
  if (!isScalar(key)) return false
  return typeof key.value === 'symbol' || (key.value === '<<' && key.type === 'PLAIN')
}

function keyText(key: unknown): string {
  if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
  return '(not a text key)'
}

function scalarValue(value: unknown): unknown {
  // Integers beyond 2^53 arrive as they are read; anything exotic is text.
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value
  return String(value)
}
