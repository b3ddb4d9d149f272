// Compares a string value or an event name with the words a dialect has, without making text of it.

import { equalBytes } from './member-scanner.ts'

const encoder = new TextEncoder()

export type Words = readonly Uint8Array[]

export function words(...texts: readonly string[]): Words {
  return texts.map(text => encoder.encode(text))
}

/** Place of the word in the list, or -1. */
export function wordAt(list: Words, bytes: Uint8Array, from: number, to: number): number {
  for (let index = 0; index < list.length; index++) {
    if (equalBytes(list[index]!, bytes, from, to)) return index
  }
  return -1
}
