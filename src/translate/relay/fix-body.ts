// What a host is peculiar about, repaired in a finished body: members that it refuses are left out, those it knows by
// another name are renamed, those it wants in a fixed form are given it. Every other byte stays what it was.
// Owns the edit and the report of what it cost; which host wants what is the provider's table.

import { type Loss, LossList } from '../loss.ts'
import {
  elementRanges,
  memberRanges,
  type NamedRange,
  skipWhite,
  stringAt,
  type ValueRange,
} from './member-ranges.ts'

/** New JSON text of a member, from its old one or null where there is none; null leaves the member out. */
export type Change = (json: string | null) => string | null

export interface BodyFixups {
  /** When not null, members that are none of these are left out. */
  readonly only: ReadonlySet<string> | null
  readonly drop: ReadonlySet<string>
  /** A member that stands there under both names keeps the new one. */
  readonly rename: Readonly<Record<string, string>>
  readonly change: Readonly<Record<string, Change>>
  /** Members of each message that are left out. */
  readonly messageDrop: ReadonlySet<string>
  /** Roles of messages that the host knows by another name. */
  readonly messageRoles: Readonly<Record<string, string>>
  /** Values, as JSON text, whose absence or change costs the caller nothing; null: any value of the member. */
  readonly quiet: Readonly<Record<string, readonly string[] | null>>
}

export const NO_FIXUPS: BodyFixups = {
  only: null,
  drop: new Set(),
  rename: {},
  change: {},
  messageDrop: new Set(),
  messageRoles: {},
  quiet: {},
}

export interface FixedBody {
  readonly body: Uint8Array
  readonly losses: readonly Loss[]
}

interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

const QUOTE = 0x22
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** `bytes` is a JSON object that has been walked. A strict caller is refused what would lose something. */
export function fixBody(bytes: Uint8Array, fixups: BodyFixups, strict: boolean): FixedBody {
  const fixing = new Fixing(bytes, fixups)
  fixing.run()
  if (strict) fixing.losses.refuse()
  return { body: spliceBytes(bytes, fixing.splices), losses: fixing.losses.items }
}

class Fixing {
  readonly splices: Splice[] = []
  readonly losses = new LossList()
  private readonly bytes: Uint8Array
  private readonly fixups: BodyFixups
  private readonly members: readonly NamedRange[]
  private readonly names: ReadonlySet<string>

  constructor(bytes: Uint8Array, fixups: BodyFixups) {
    this.bytes = bytes
    this.fixups = fixups
    this.members = memberRanges(bytes)
    this.names = new Set(this.members.map(member => member.name))
  }

  run(): void {
    const dropped = new Set<NamedRange>()
    for (const member of this.members) {
      if (this.refused(member)) dropped.add(member)
      else this.keep(member, dropped)
    }
    this.dropMembers(this.members, dropped, this.added())
  }

  private refused(member: NamedRange): boolean {
    const { drop, only, rename } = this.fixups
    const { name } = member
    const renamed = Object.hasOwn(rename, name) ? rename[name] : undefined
    const taken = renamed !== undefined && this.names.has(renamed)
    const unknown = only !== null && !only.has(name) && renamed === undefined
    if (!drop.has(name) && !unknown && !taken) return false
    if (!this.costless(member)) {
      this.losses.add('drop', pointer(name), unknown ? 'unknown_member' : 'unsupported_by_provider')
    }
    return true
  }

  private costless(member: NamedRange): boolean {
    const quiet = Object.hasOwn(this.fixups.quiet, member.name) ? this.fixups.quiet[member.name] : []
    if (quiet === null) return true
    const text = this.textOf(member)
    return text === 'null' || (quiet?.includes(text) ?? false)
  }

  private keep(member: NamedRange, dropped: Set<NamedRange>): void {
    const { rename, change } = this.fixups
    const renamed = Object.hasOwn(rename, member.name) ? rename[member.name] : undefined
    if (renamed !== undefined) {
      this.splices.push({ from: member.nameFrom, to: member.nameTo, text: JSON.stringify(renamed) })
    }
    const changed = Object.hasOwn(change, member.name) ? change[member.name] : undefined
    if (changed !== undefined) {
      const before = this.textOf(member)
      const after = changed(before)
      if (after === null) dropped.add(member)
      else if (after !== before) this.splices.push({ from: member.from, to: member.to, text: after })
      if (after !== before && !this.costless(member)) {
        this.losses.add(after === null ? 'drop' : 'map', pointer(member.name), 'unsupported_by_provider')
      }
    }
    if (member.name === 'messages') this.fixMessages(member)
  }

  /** Members that were not there and are wanted, as text. */
  private added(): string[] {
    const texts: string[] = []
    for (const [name, changed] of Object.entries(this.fixups.change)) {
      if (this.names.has(name)) continue
      const text = changed(null)
      if (text !== null) texts.push(`${JSON.stringify(name)}:${text}`)
    }
    return texts
  }

  private fixMessages(messages: NamedRange): void {
    const { messageDrop, messageRoles } = this.fixups
    if (messageDrop.size === 0 && Object.keys(messageRoles).length === 0) return
    for (const [at, message] of elementRanges(this.bytes, messages.from).entries()) {
      const members = memberRanges(this.bytes, message.from)
      const dropped = new Set<NamedRange>()
      for (const member of members) {
        if (messageDrop.has(member.name)) {
          dropped.add(member)
          this.losses.add('drop', `/messages/${at}/${member.name}`, 'unsupported_by_provider')
        } else if (member.name === 'role' && this.bytes[member.from] === QUOTE) {
          const role = stringAt(this.bytes, member.from, member.to)
          const renamed = Object.hasOwn(messageRoles, role) ? messageRoles[role] : undefined
          if (renamed !== undefined) {
            this.splices.push({ from: member.from, to: member.to, text: JSON.stringify(renamed) })
          }
        }
      }
      this.dropMembers(members, dropped, [])
    }
  }

  /** Takes members out with the comma that belongs to them, and puts new ones behind the last. */
  private dropMembers(
    members: readonly NamedRange[],
    dropped: ReadonlySet<NamedRange>,
    added: readonly string[],
  ): void {
    const { splices } = this
    const firstKept = members.findIndex(member => !dropped.has(member))
    const leading = firstKept < 0 ? members.length : firstKept
    if (leading > 0) {
      const to = firstKept < 0 ? members[leading - 1]!.to : members[firstKept]!.nameFrom
      splices.push({ from: members[0]!.nameFrom, to, text: '' })
    }
    for (let at = leading; at < members.length; at++) {
      const member = members[at]!
      if (dropped.has(member)) splices.push({ from: members[at - 1]!.to, to: member.to, text: '' })
    }
    if (added.length === 0) return
    const end = members.at(-1)?.to ?? skipWhite(this.bytes, 0) + 1
    splices.push({ from: end, to: end, text: (firstKept < 0 ? '' : ',') + added.join(',') })
  }

  private textOf(range: ValueRange): string {
    return decoder.decode(this.bytes.subarray(range.from, range.to))
  }
}

/** Bytes with the ranges exchanged, which must not overlap; the same bytes, not a copy, when there are none. */
export function spliceBytes(bytes: Uint8Array, splices: readonly Splice[]): Uint8Array {
  if (splices.length === 0) return bytes
  const ordered = [...splices].sort((left, right) => left.from - right.from || left.to - right.to)
  const pieces: Uint8Array[] = []
  let read = 0
  for (const { from, to, text } of ordered) {
    pieces.push(bytes.subarray(read, from), encoder.encode(text))
    read = to
  }
  pieces.push(bytes.subarray(read))
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let write = 0
  for (const piece of pieces) {
    out.set(piece, write)
    write += piece.length
  }
  return out
}

/** Puts a member behind the last one of an object. */
export function insertMember(bytes: Uint8Array, object: ValueRange, member: string): Splice {
  const members = memberRanges(bytes, object.from)
  const at = members.at(-1)?.to ?? object.from + 1
  return { from: at, to: at, text: members.length === 0 ? member : `,${member}` }
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
