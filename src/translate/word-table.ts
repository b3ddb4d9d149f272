// Tables that are asked with words of an upstream or a client. A plain object also answers to `constructor` and
// `toString`; these answer to nothing but their own words.

export function wordTable<Value>(words: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, Value>, words))
}
