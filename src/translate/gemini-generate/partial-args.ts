// Arguments that stream in pieces, each with the path of the value it belongs to. Owns putting them together; the
// text is printed once, when the call is whole, because a value may go on long after its neighbours began.

import { type Members, textOrNull } from '../bytes/json-look.ts'

/** Arguments of one call stay below this. Counted in UTF-16 units. */
const UNITS_MAX = 8 * 1024 * 1024
/** Deeper paths are no arguments. */
const DEPTH_MAX = 64

class Leaf {
  /** A text that may go on, or null. */
  text: string | null
  json: string

  constructor(text: string | null, json: string) {
    this.text = text
    this.json = json
  }
}

type Node = Leaf | Map<string, Node> | Node[]

export class PartialArgs {
  private readonly root: Map<string, Node>
  private units: number

  constructor() {
    this.root = new Map()
    this.units = 0
  }

  /** Takes one piece. False when its path leads nowhere, or there is too much. */
  take(piece: Members): boolean {
    const tokens = tokensOf(piece['jsonPath'])
    if (tokens === null) return false
    const text = textOrNull(piece['stringValue'])
    const json = text === null ? literalOf(piece) : ''
    this.units += (text ?? json).length
    if (this.units > UNITS_MAX) return false
    let node: Node = this.root
    for (const [index, token] of tokens.entries()) {
      const known = childOf(node, token)
      if (index === tokens.length - 1) {
        if (text !== null && known instanceof Leaf && known.text !== null) {
          known.text += text
          return true
        }
        return setChild(node, token, new Leaf(text, json))
      }
      if (known !== undefined && !(known instanceof Leaf)) {
        node = known
        continue
      }
      const child: Node = typeof tokens[index + 1] === 'number' ? [] : new Map<string, Node>()
      if (!setChild(node, token, child)) return false
      node = child
    }
    return false
  }

  get json(): string {
    return printed(this.root)
  }
}

function literalOf(piece: Members): string {
  if (typeof piece['boolValue'] === 'boolean') return String(piece['boolValue'])
  if (typeof piece['numberValue'] === 'number') return JSON.stringify(piece['numberValue'])
  return 'null'
}

function childOf(node: Node, token: string | number): Node | undefined {
  if (Array.isArray(node)) return typeof token === 'number' ? node[token] : undefined
  return node instanceof Map && typeof token === 'string' ? node.get(token) : undefined
}

/** Elements come in order: an index beyond the next one is refused, and nothing is ever filled up. */
function setChild(node: Node, token: string | number, child: Node): boolean {
  if (Array.isArray(node)) {
    if (typeof token !== 'number' || token > node.length) return false
    node[token] = child
    return true
  }
  if (!(node instanceof Map) || typeof token !== 'string') return false
  node.set(token, child)
  return true
}

const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y

/** Names and indexes of a path such as `$.rooms[0].name`; null when it is none. */
function tokensOf(path: unknown): (string | number)[] | null {
  if (typeof path !== 'string' || !path.startsWith('$')) return null
  const tokens: (string | number)[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path)
    if (match === null || tokens.length >= DEPTH_MAX) return null
    const quoted = match[3] ?? match[4]
    if (match[2] !== undefined) tokens.push(Number(match[2]))
    else tokens.push(match[1] ?? (quoted ?? '').replace(/\\(.)/g, '$1'))
  }
  return tokens.length === 0 ? null : tokens
}

function printed(node: Node): string {
  if (node instanceof Leaf) return node.text === null ? node.json : JSON.stringify(node.text)
  if (Array.isArray(node)) return `[${node.map(printed).join(',')}]`
  return `{${[...node].map(([name, child]) => `${JSON.stringify(name)}:${printed(child)}`).join(',')}}`
}
