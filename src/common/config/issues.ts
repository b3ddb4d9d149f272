// What is wrong with a configuration: every finding has a code, an exact place, what was found, what is allowed and
// the nearest valid name. Findings are collected, never thrown one by one, and never show a secret.

import { MASK, maskForms } from './secret.ts'
import { type Path, type Places, pathText, printable, valueAt } from './places.ts'

export type Severity = 'error' | 'warning'

export interface ConfigIssue {
  /** Stable: `E01` … `E80` as the reference's catalogue counts them, `S…` ours, `W…` warnings. */
  readonly code: string
  readonly severity: Severity
  /** File name as given, or `environment`. */
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly path: string
  readonly message: string
}

export function issueText(issue: ConfigIssue): string {
  const place = issue.line === null ? issue.file : `${issue.file}:${issue.line}:${issue.column ?? 1}`
  return `${place} ${issue.path}: ${issue.code} ${issue.message}`
}

/** All that is wrong, in the order of the file; beside it what is only doubtful. */
export class ConfigErrors extends Error {
  override readonly name = 'ConfigErrors'
  readonly issues: readonly ConfigIssue[]
  readonly warnings: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[], warnings: readonly ConfigIssue[]) {
    const count = issues.length === 1 ? 'one error' : `${issues.length} errors`
    super(`the configuration has ${count}:\n${issues.map(issue => `  ${issueText(issue)}`).join('\n')}`)
    this.issues = issues
    this.warnings = warnings
  }
}

export interface IssueFacts {
  readonly code: string
  readonly path: Path
  readonly message: string
  /** Point at the key instead of its value. */
  readonly at?: 'value' | 'key'
  /** Show what stands there; left out where the message already says it. */
  readonly showFound?: boolean
  readonly allowed?: string | null
  readonly suggestions?: readonly string[]
}

/** More errors, or more warnings, than this are counted, not kept: nobody reads the hundredth. */
const ISSUES_MAX = 100

/** Collects findings against one tree. */
export class Findings {
  readonly file: string
  private readonly places: Places
  private readonly hidden = new Set<string>()
  private readonly found: Record<Severity, ConfigIssue[]> = { error: [], warning: [] }
  private readonly said = new Set<string>()
  private readonly dropped: Record<Severity, number> = { error: 0, warning: 0 }
  private root: unknown = null

  constructor(file: string, places: Places) {
    this.file = file
    this.places = places
  }

  /** Paths of later findings are looked up in this tree. */
  look(root: unknown): void {
    this.root = root
  }

  /** No message will ever contain this text. */
  hide(secret: string): void {
    if (secret.length >= HIDDEN_CHARS_MIN) this.hidden.add(secret)
  }

  error(facts: IssueFacts): void {
    this.add('error', facts)
  }

  warn(facts: IssueFacts): void {
    this.add('warning', facts)
  }

  /** For what has a line but no tree yet: broken YAML. */
  errorAt(code: string, line: number | null, column: number | null, message: string): void {
    this.push({ code, severity: 'error', file: this.file, line, column, path: '(file)', message })
  }

  /** Findings of another run over the same file; what was said already is not said again. */
  take(issues: readonly ConfigIssue[]): void {
    for (const issue of issues) this.push({ ...issue, message: this.scrub(issue.message) })
  }

  /** For a value that came from a variable of the process, not from the file. */
  errorIn(variable: string, code: string, message: string): void {
    const place = { file: 'environment', line: null, column: null, path: variable }
    this.push({ code, severity: 'error', ...place, message: this.scrub(message) })
  }

  warnIn(variable: string, code: string, message: string): void {
    const place = { file: 'environment', line: null, column: null, path: variable }
    this.push({ code, severity: 'warning', ...place, message: this.scrub(message) })
  }

  /** For a warning met while the tree is still being read. */
  warnAt(code: string, line: number, column: number, path: Path, message: string): void {
    const text = this.scrub(pathText(path))
    this.push({ code, severity: 'warning', file: this.file, line, column, path: text, message })
  }

  get errors(): ConfigIssue[] {
    return this.sorted('error')
  }

  get warnings(): ConfigIssue[] {
    return this.sorted('warning')
  }

  /** The text with every known or recognisable secret masked. */
  scrub(text: string): string {
    let clean = text
    for (const secret of this.hidden) {
      if (clean.includes(secret)) clean = clean.split(secret).join(MASK)
    }
    return maskForms(clean)
  }

  private add(severity: Severity, facts: IssueFacts): void {
    const place = this.places.at(this.root, facts.path, facts.at)
    let text = facts.message
    if (facts.showFound !== false) text += `; found ${this.foundText(facts.path)}`
    if (facts.allowed !== undefined && facts.allowed !== null) text += `; allowed: ${facts.allowed}`
    const names = facts.suggestions ?? []
    if (names.length > 0)
      text += `; did you mean ${names.map(name => `\`${printable(name)}\``).join(' or ')}?`
    this.push({
      code: facts.code,
      severity,
      file: this.file,
      line: place.line,
      column: place.column,
      path: this.scrub(place.path),
      message: this.scrub(text),
    })
  }

  private push(issue: ConfigIssue): void {
    // What stands behind an anchor is read once for every alias, and said once.
    const key = `${issue.code} ${issue.line} ${issue.column} ${issue.line === null ? issue.path : ''} ${issue.message}`
    if (this.said.has(key)) return
    this.said.add(key)
    // Each kind has its own bound: a hundred warnings must not push out the error that makes the file unusable.
    const kept = this.found[issue.severity]
    if (kept.length >= ISSUES_MAX) this.dropped[issue.severity] += 1
    else kept.push(issue)
  }

  private foundText(path: Path): string {
    const written = this.places.writtenAt(this.root, path)
    return describeFound(written ?? valueAt(this.root, path))
  }

  private sorted(severity: Severity): ConfigIssue[] {
    const line = (issue: ConfigIssue) => issue.line ?? 0
    const sorted = [...this.found[severity]].sort(
      (a, b) => line(a) - line(b) || (a.column ?? 0) - (b.column ?? 0),
    )
    const dropped = this.dropped[severity]
    if (dropped === 0) return sorted
    const message = `${dropped} more ${severity}s are not shown`
    const place = { file: this.file, line: null, column: null, path: '(file)' }
    return [...sorted, { code: 'S00', severity, ...place, message }]
  }
}

/** Shorter texts are too common in messages to be masked, and no provider issues keys that short. */
const HIDDEN_CHARS_MIN = 6

function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `"${printable(value)}"`
  if (typeof value === 'number' || typeof value === 'boolean') return `${typeof value} ${String(value)}`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  return Object.keys(value).length === 0 ? 'an empty map' : 'a map'
}
