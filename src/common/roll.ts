// Who is present, where somebody comes and goes all the time. Owns the places; each member keeps its own.
//
// Not a Set: one that is filled and emptied again is copied into a new table every few dozen entries, and each outgrown
// table keeps what it held and points to its successor. Once one of them is old for the collector, all that follow wait
// for a full collection, with whatever was in them: of the exchanges of a busy shard about half.

import { assert } from './assert.ts'

/** Not in the roll. */
export const NOWHERE = -1

export interface Member {
  /** Where it stands in its roll; written by the roll alone. `NOWHERE` at first. */
  place: number
}

export class Roll<M extends Member> {
  private readonly members: M[] = []

  get size(): number {
    return this.members.length
  }

  /** No effect for a member. */
  add(member: M): void {
    if (member.place !== NOWHERE) return
    member.place = this.members.length
    this.members.push(member)
  }

  /** No effect for anybody else. */
  remove(member: M): void {
    const { place } = member
    if (place === NOWHERE) return
    const last = this.members.pop()
    assert(last !== undefined && place <= last.place, 'a member is in one roll only')
    member.place = NOWHERE
    if (last === member) return
    last.place = place
    this.members[place] = last
  }

  /** The members of this moment, in no order. */
  all(): M[] {
    return [...this.members]
  }

  /** Calls `visit` for each; it may remove members, and those it adds wait for the next time. */
  each(visit: (member: M) => void): void {
    for (let at = this.members.length - 1; at >= 0; at -= 1) {
      const member = this.members[at]
      if (member !== undefined) visit(member)
    }
  }
}
