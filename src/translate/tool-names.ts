// Names and ids of tools where the target's alphabet is smaller than the client's. Owns the mapping and its way
// back. Deterministic: the same tools give the same names in every turn, so prompt caches stay warm and no state
// is kept between requests.

import { hashHex } from './bytes/hash.ts'

export interface NameRule {
  readonly pattern: RegExp
  readonly lengthMax: number
  /** Put in front of a name whose first character the target refuses. */
  readonly prefix: string
}

const WORD = /^[A-Za-z0-9_-]+$/

export const NAME_RULES = {
  'openai-chat': { pattern: WORD, lengthMax: 64, prefix: '' },
  'openai-responses': { pattern: WORD, lengthMax: 64, prefix: '' },
  'anthropic-messages': { pattern: WORD, lengthMax: 128, prefix: '' },
  'bedrock-converse': { pattern: WORD, lengthMax: 64, prefix: '' },
  'gemini-generate': { pattern: /^[A-Za-z_][A-Za-z0-9_.:-]*$/, lengthMax: 64, prefix: '_' },
} as const satisfies Record<string, NameRule>

export interface ClientTool {
  readonly name: string
  readonly namespace: string | null
}

/** One renaming, as plain data. */
export interface NamePair extends ClientTool {
  readonly target: string
}

/** Digits of the hash that tells shortened names apart, and the joint before them. */
const HASH_DIGITS = 8

/** A bijection between the client's tool names and the target's, for one exchange. */
export class ToolNames {
  private readonly rule: NameRule
  private readonly out = new Map<string, string>()
  private readonly back = new Map<string, ClientTool>()

  constructor(rule: NameRule) {
    this.rule = rule
  }

  /** The target's name for a tool. Namespaces are joined in front. */
  toTarget(name: string, namespace: string | null = null): string {
    const full = fullName(name, namespace)
    const known = this.out.get(full)
    if (known !== undefined) return known
    let short = legalName(full, this.rule)
    const taken = this.back.get(short)
    if (taken !== undefined && !(taken.name === name && taken.namespace === namespace)) {
      short = hashedName(full, this.rule)
    }
    this.out.set(full, short)
    this.back.set(short, { name, namespace })
    return short
  }

  /** The client's name for what the model called. An unknown name passes as it is: the model invented it. */
  toClient(name: string): ClientTool {
    return this.back.get(name) ?? { name, namespace: null }
  }

  /** What `fromData` needs to undo the same renamings elsewhere, in another thread for one. */
  toData(): readonly NamePair[] {
    return [...this.back].map(([target, { name, namespace }]) => ({ target, name, namespace }))
  }

  static fromData(rule: NameRule, pairs: readonly NamePair[]): ToolNames {
    const names = new ToolNames(rule)
    for (const { target, name, namespace } of pairs) {
      names.out.set(fullName(name, namespace), target)
      names.back.set(target, { name, namespace })
    }
    return names
  }
}

/** The name itself, or one like it that the rule allows: the same name gives the same one. */
export function legalName(name: string, rule: NameRule): string {
  return name.length <= rule.lengthMax && rule.pattern.test(name) ? name : hashedName(name, rule)
}

function hashedName(name: string, rule: NameRule): string {
  let safe = name.replace(/[^A-Za-z0-9_-]/g, '_')
  if (!rule.pattern.test(safe)) safe = rule.prefix + safe
  return `${safe.slice(0, rule.lengthMax - HASH_DIGITS - 1)}_${hashHex(name, HASH_DIGITS)}`
}

function fullName(name: string, namespace: string | null): string {
  return namespace === null ? name : `${namespace}__${name}`
}

export interface IdRule {
  readonly pattern: RegExp
  readonly lengthMax: number
}

export const CALL_ID_RULES = {
  'openai-chat': { pattern: /^[\x21-\x7e]+$/, lengthMax: 40 },
  'openai-responses': { pattern: /^[\x21-\x7e]+$/, lengthMax: 64 },
  'anthropic-messages': { pattern: WORD, lengthMax: 128 },
  'bedrock-converse': { pattern: WORD, lengthMax: 64 },
  'gemini-generate': { pattern: /^[\x21-\x7e]+$/, lengthMax: 128 },
} as const satisfies Record<string, IdRule>

/** `call_` and sixteen digits; a host that takes fewer gets digits only. */
const DERIVED_ID_CHARS = 21

/** The same id in gives the same id out, so that calls and results still match without state. */
export function callIdFor(id: string, rule: IdRule): string {
  if (id.length > 0 && id.length <= rule.lengthMax && rule.pattern.test(id)) return id
  return rule.lengthMax < DERIVED_ID_CHARS ? hashHex(id, rule.lengthMax) : `call_${hashHex(id, 16)}`
}
