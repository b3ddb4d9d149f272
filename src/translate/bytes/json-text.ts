// Looks at JSON text without making a tree of it: what kind of value it is, and the same text without white space.
// Used for what belongs to the customer (arguments, schemas) and must not be parsed and printed again.

const WHITE = /[\t\n\r ]/

/** The same JSON without white space between tokens. Spelling of numbers and strings and all order is kept. */
export function compactJson(json: string): string {
  if (!WHITE.test(json)) return json
  let compact = ''
  let from = 0
  let index = 0
  while (index < json.length) {
    const code = json.charCodeAt(index)
    if (code === 0x22) index = endOfString(json, index)
    else if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      compact += json.slice(from, index)
      index += 1
      from = index
    } else index += 1
  }
  return compact + json.slice(from)
}

/** Index after the closing quote of the string that opens at `open`; the length of the text if it never closes. */
export function endOfString(json: string, open: number): number {
  let quote = json.indexOf('"', open + 1)
  while (quote !== -1) {
    let slashes = 0
    while (json.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    quote = json.indexOf('"', quote + 1)
  }
  return json.length
}

/** True when the text is one whole JSON object. Decided by the host's parser: it is strict and native. */
export function isJsonObject(json: string): boolean {
  if (!/^[\t\n\r ]*\{/.test(json)) return false
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

/**
 * Arguments as dialects want them that take an object: none means {}, an object stays as it is, anything else is
 * wrapped so that the conversation survives.
 */
export function argumentsObject(input: string): string {
  if (isJsonObject(input)) return compactJson(input)
  const bare = input.trim()
  if (bare === '' || bare === 'null') return '{}'
  return `{"__raw":${JSON.stringify(input)}}`
}

/** The inverse of `argumentsObject` for what it wrapped; any other object is its own text. */
export function argumentsText(objectJson: string): string {
  if (objectJson.startsWith('{"__raw":"') && objectJson.endsWith('"}')) {
    try {
      const parsed: unknown = JSON.parse(objectJson)
      if (typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length === 1) {
        const raw: unknown = Reflect.get(parsed, '__raw')
        if (typeof raw === 'string' && !isJsonObject(raw)) return raw
      }
    } catch {
      return objectJson
    }
  }
  return objectJson
}
