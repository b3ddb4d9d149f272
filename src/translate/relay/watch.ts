// What every dialect's watcher is: it is told the members the scanner finds and, when a document of the reply has
// been read to its end, says what that means.

import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { type RelayFacts, textAt } from './facts.ts'
import type { Watcher } from './member-scanner.ts'
import type { Place } from './places.ts'

export abstract class Watch implements Watcher {
  abstract readonly root: Place
  abstract readonly facts: RelayFacts
  readonly wants: number[]
  /** Lines, each with its line feed, that make clients pass over a torn event unread; '' where there are none. */
  readonly tornLines: string = ''

  constructor(tags: number) {
    this.wants = new Array<number>(tags).fill(1)
  }

  /** A text that every frame repeats: once it has been told, nobody looks for it again. */
  protected textOnce(tag: number, bytes: Uint8Array, from: number, to: number): string | null {
    const text = textAt(bytes, from, to)
    if (text !== null) this.wants[tag] = 0
    return text
  }

  abstract taken(tag: number, bytes: Uint8Array, from: number, to: number): void
  touched(_tag: number): void {}
  counted(_tag: number, _value: number): void {}
  opened(_tag: number): void {}
  closed(_tag: number): void {}

  /**
   * A document has been read to its end; `name` is what its frame is called, in `name[0, used)`. True if the same
   * document with other text may come again and mean nothing new.
   */
  abstract document(name: Uint8Array, used: number): boolean
  /** What was noted since the last document is not one, or has been used: forget it. */
  abstract forget(): void
  /** The frame that is no document: `[DONE]`. */
  done(): void {}
  /** May the body end here, between frames, as a success? Asked while nothing else has said so. */
  get mayEnd(): boolean {
    return false
  }
  /** The frame that is being read can only be one that tells usage and nothing else. */
  get onlyUsage(): boolean {
    return false
  }
  /** It may still turn out to be one. */
  get maybeOnlyUsage(): boolean {
    return false
  }

  /**
   * Member of a torn document that makes the dialect's clients fail in their own words, or '' to leave it torn: a
   * document that could be taken for the end of the reply must stay unreadable. `torn` is the name of the event, a
   * line feed and the data.
   */
  tornMember(_error: ErrorReply, _torn: string): string {
    return ''
  }

  /** The dialect's error form in mid-stream. */
  abstract errorForm(out: ByteOut, error: ErrorReply): void
}
