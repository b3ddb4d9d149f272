// `access_key: $CHATGPT_ACCESS_TOKEN`, as users of the reference write it: there the command line puts the token of the
// login into this variable when it starts the gateway. Here the login itself is used, because a token is good for an
// hour and a gateway lives longer. A variable that is set still wins.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { isTree, type Tree } from './places.ts'
import type { Env } from './values.ts'

export const SUBSCRIPTION_VARIABLE = 'CHATGPT_ACCESS_TOKEN'

/** Where the reference keeps the login, too. */
export function subscriptionFile(): string {
  return resolve(homedir(), '.plano/chatgpt/auth.json')
}

/** Changes the tree in place and returns notes of what was done. */
export function useSubscription(tree: unknown, env: Env, onFile: (absolute: string) => void): string[] {
  if ((env[SUBSCRIPTION_VARIABLE] ?? '') !== '' || !isTree(tree)) return []
  const entries = ['model_providers', 'llm_providers'].flatMap(key => subscribers(tree[key]))
  if (entries.length === 0) return []
  const file = subscriptionFile()
  // A login that comes later is another configuration.
  onFile(file)
  if (!existsSync(file)) return []
  for (const entry of entries) {
    delete entry['access_key']
    entry['auth'] = { type: 'chatgpt' }
  }
  return entries.map(
    ({ model }) =>
      `M8 ${String(model)} uses the login in ${file}, because ${SUBSCRIPTION_VARIABLE} is not set`,
  )
}

const WRITTEN: readonly unknown[] = [`$${SUBSCRIPTION_VARIABLE}`, `\${${SUBSCRIPTION_VARIABLE}}`]

function subscribers(list: unknown): Tree[] {
  if (!Array.isArray(list)) return []
  return list
    .filter(isTree)
    .filter(entry => /^chatgpt\//.test(String(entry['model'])) && entry['auth'] === undefined)
    .filter(entry => WRITTEN.includes(entry['access_key']))
}
