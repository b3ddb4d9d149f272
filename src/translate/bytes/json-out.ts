// Writes JSON text member by member. Commas are its business, order and spelling the caller's. What arrives as
// JSON text goes out as it is.

import type { Extra } from '../prompt.ts'

const encoder = new TextEncoder()

export class JsonOut {
  text: string
  private comma: boolean

  constructor() {
    this.text = ''
    this.comma = false
  }

  object(): this {
    return this.open('{')
  }

  endObject(): this {
    return this.close('}')
  }

  array(): this {
    return this.open('[')
  }

  endArray(): this {
    return this.close(']')
  }

  /** Name of the member whose value is written next. */
  key(name: string): this {
    this.text += `${this.comma ? ',' : ''}${JSON.stringify(name)}:`
    this.comma = false
    return this
  }

  value(value: string | number | boolean | null): this {
    return this.raw(JSON.stringify(value))
  }

  /** JSON text, as it is. */
  raw(json: string): this {
    this.text += this.comma ? `,${json}` : json
    this.comma = true
    return this
  }

  member(name: string, value: string | number | boolean | null): this {
    return this.key(name).value(value)
  }

  /** Writes nothing for null: targets do not like members that say nothing. */
  memberIf(name: string, value: string | number | boolean | null): this {
    return value === null ? this : this.member(name, value)
  }

  memberRaw(name: string, json: string): this {
    return this.key(name).raw(json)
  }

  memberRawIf(name: string, json: string | null): this {
    return json === null ? this : this.memberRaw(name, json)
  }

  extras(extras: readonly Extra[]): this {
    for (const extra of extras) this.memberRaw(extra.name, extra.json)
    return this
  }

  bytes(): Uint8Array {
    return encoder.encode(this.text)
  }

  private open(bracket: string): this {
    this.text += this.comma ? `,${bracket}` : bracket
    this.comma = false
    return this
  }

  private close(bracket: string): this {
    this.text += bracket
    this.comma = true
    return this
  }
}
