// The keys of the language, walked from the JSON Schema.

export interface SchemaNode {
  readonly description?: string
  /** A credential. */
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
}

export interface Key {
  /** `.listeners.port`: lists and maps of names leave no trace in it. */
  readonly path: string
  readonly key: string
  readonly node: SchemaNode
}

/** Every key below a node. */
export function keysOf(node: SchemaNode, path = ''): Key[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    { path: `${path}.${key}`, key, node: child },
    ...keysOf(child, `${path}.${key}`),
  ])
  const below = [node.items, node.additionalProperties, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]
  const rest = below.filter(child => typeof child === 'object').flatMap(child => keysOf(child, path))
  return [...own, ...rest]
}
