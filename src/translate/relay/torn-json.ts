// Closes a JSON object that was torn off, with the fewest bytes: what a client was sent stays a document it can read,
// and a member that says why it is torn can be added. Never more bytes than the rest of the document had.

const WORDS = ['true', 'false', 'null'] as const

export interface Closing {
  /** Closes everything but the outermost object. */
  readonly text: string
  /** The outermost object has members already. */
  readonly comma: boolean
  /** It was torn within a name, which may stand there whole. */
  readonly inName: boolean
  /** A value was torn before its first character, or within an escape: what closes it was never sent. */
  readonly invents: boolean
}

/** What the walk knows when the text ends. */
class TornObject {
  /** Open brackets, outermost first. */
  readonly open: string[] = []
  /** What comes next: a value, a name, a colon, a comma; `first` right behind a bracket. */
  next: 'value' | 'name' | 'colon' | 'comma' | 'first' = 'value'
  inString = false
  isName = false
  /** Characters of an escape that are still to come: 1 behind a backslash, up to 4 digits behind `\u`. */
  escape = 0
  hex = false
  scalar = ''

  read(code: string): void {
    if (this.inString) this.inText(code)
    else if (code === '"') this.startString()
    else if (code === '{' || code === '[') {
      this.open.push(code)
      this.next = 'first'
    } else if (code === '}' || code === ']') {
      this.open.pop()
      this.endValue()
    } else if (code === ',') {
      this.next = this.open.at(-1) === '{' ? 'name' : 'value'
      this.scalar = ''
    } else if (code === ':') this.next = 'value'
    else if (code > ' ') {
      this.scalar += code
      this.next = 'comma'
    } else if (this.scalar !== '') this.scalar = ''
  }

  private startString(): void {
    this.inString = true
    this.isName = this.next === 'name' || (this.next === 'first' && this.open.at(-1) === '{')
  }

  private inText(code: string): void {
    if (this.escape > 0) {
      this.escape -= 1
      if (!this.hex && code === 'u') {
        this.escape = 4
        this.hex = true
      } else if (this.escape === 0) this.hex = false
    } else if (code === '\\') this.escape = 1
    else if (code === '"') {
      this.inString = false
      if (this.isName) this.next = 'colon'
      else this.endValue()
    }
  }

  private endValue(): void {
    this.next = 'comma'
    this.scalar = ''
  }
}

/** How to close `json`, the start of an object; null when it is none or is not torn. */
export function closingOf(json: string): Closing | null {
  const torn = new TornObject()
  for (const code of json) torn.read(code)
  if (torn.open[0] !== '{') return null
  let text = tokenEnd(torn)
  const empty = torn.next === 'first' && !torn.inString
  for (let depth = torn.open.length - 1; depth > 0; depth--) text += torn.open[depth] === '{' ? '}' : ']'
  return {
    text,
    comma: !(empty && torn.open.length === 1),
    inName: torn.inString && torn.isName,
    invents: invents(torn),
  }
}

function tokenEnd(torn: TornObject): string {
  if (torn.inString) {
    const escapeEnd = torn.hex ? '0'.repeat(torn.escape) : torn.escape > 0 ? '\\' : ''
    return `${escapeEnd}"${torn.isName ? ':0' : ''}`
  }
  if (torn.scalar !== '') return scalarEnd(torn.scalar)
  switch (torn.next) {
    case 'value':
      return '0'
    case 'name':
      return '"":0'
    case 'colon':
      return ':0'
    default:
      return ''
  }
}

function invents(torn: TornObject): boolean {
  if (torn.inString) return torn.escape > 0
  return torn.scalar === '' && (torn.next === 'colon' || torn.next === 'value')
}

function scalarEnd(scalar: string): string {
  const word = WORDS.find(candidate => candidate.startsWith(scalar))
  if (word !== undefined) return word.slice(scalar.length)
  return /\d$/.test(scalar) ? '' : '0'
}
