// Names of documents, which Converse wants plain and different from each other.

import type { PromptWriting } from '../prompt-writing.ts'

/** The service's bound. */
const NAME_CHARS_MAX = 200
const NAME_DEFAULT = 'document'

export class DocumentNames {
  private readonly writing: PromptWriting
  private readonly given = new Set<string>()

  constructor(writing: PromptWriting) {
    this.writing = writing
  }

  /** The name to send; the ending goes, because the format stands beside it. */
  nameFor(name: string | null, at: string): string {
    const wanted = name?.replace(/\.[A-Za-z0-9]{1,5}$/, '') ?? NAME_DEFAULT
    const plain =
      wanted
        .replace(/[^A-Za-z0-9\-()[\]]+/g, ' ')
        .trim()
        .slice(0, NAME_CHARS_MAX)
        .trim() || NAME_DEFAULT
    let unique = plain
    for (let count = 2; this.given.has(unique); count++) {
      const ending = ` (${count})`
      unique = plain.slice(0, NAME_CHARS_MAX - ending.length).trim() + ending
    }
    this.given.add(unique)
    if (name !== null && unique !== wanted) this.writing.lose('emulate', at, 'document_renamed')
    return unique
  }
}
