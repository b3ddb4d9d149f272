// M1: `llm_providers` became `model_providers`.

import type { Tree } from '../places.ts'
import type { Migration } from './index.ts'

export function migrateProviders(tree: Tree, { findings, places, notes }: Migration): void {
  if (!('llm_providers' in tree)) return
  if ('model_providers' in tree) {
    findings.error({
      code: 'E10',
      path: ['llm_providers'],
      at: 'key',
      message:
        'both `llm_providers` and `model_providers` stand here; the first is the old name of the second, keep one',
      showFound: false,
    })
    delete tree['llm_providers']
    return
  }
  tree['model_providers'] = tree['llm_providers']
  places.moveKey(tree, 'llm_providers', 'model_providers')
  delete tree['llm_providers']
  notes.push('M1 llm_providers became model_providers')
  findings.warn({
    code: 'W03',
    path: ['model_providers'],
    at: 'key',
    message: '`llm_providers` is called `model_providers` today',
    showFound: false,
  })
}
