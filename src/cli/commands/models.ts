// `sluice models`: what callers may ask for, and what is known of it.

import type { Command } from 'commander'
import {
  buildModelIndex,
  configuredPrice,
  findModel,
  loadCatalogue,
  publicModels,
} from '../../routing/index.ts'
import { loadTarget, targetOf } from '../loading.ts'
import type { Shell } from '../terminal.ts'

interface ModelsOptions {
  readonly path?: string
  readonly json?: boolean
}

interface ModelLine {
  readonly id: string
  readonly owned_by: string
  readonly provider: string | null
  readonly default: boolean
  readonly context_tokens: number | null
  /** US dollars per million tokens. */
  readonly input_price: number | null
  readonly output_price: number | null
}

export function addModels(program: Command, shell: Shell): void {
  program
    .command('models')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('list the models a configuration serves, with context and price where they are known')
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText('after', '\nExample:\n  $ sluice models --json | jq -r ".models[].id"')
    .action((file: string | undefined, options: ModelsOptions) => models(shell, file, options))
}

function models(shell: Shell, file: string | undefined, options: ModelsOptions): void {
  const { terminal } = shell
  const { plan } = loadTarget(targetOf(shell, file, options))
  const index = buildModelIndex(plan)
  const catalogue = loadCatalogue()
  const lines = publicModels(plan).map(({ id, ownedBy }): ModelLine => {
    const found = findModel(index, id)
    const provider = 'provider' in found ? found.provider : null
    const sent = 'upstreamModel' in found ? found.upstreamModel : id
    const entry = catalogue.find(sent)
    const own = provider === null ? null : configuredPrice(plan, provider, sent)
    const price = own ?? entry.price
    return {
      id,
      owned_by: ownedBy,
      provider: provider?.name ?? null,
      default: provider?.isDefault === true && provider.name === id,
      context_tokens: entry.contextTokens,
      input_price: price?.input ?? null,
      output_price: price?.output ?? null,
    }
  })
  const aliases = plan.aliases
  if (options.json === true) {
    terminal.json({ models: lines, aliases })
    return
  }
  if (lines.length === 0) {
    terminal.line('no models')
    return
  }
  const head = ['MODEL', 'OWNER', 'CONTEXT', '$/M IN', '$/M OUT', ''].map(text => terminal.paint('dim', text))
  terminal.table([
    head,
    ...lines.map(line => [
      line.id,
      line.owned_by,
      line.context_tokens === null ? '-' : String(line.context_tokens),
      line.input_price === null ? '-' : String(line.input_price),
      line.output_price === null ? '-' : String(line.output_price),
      line.default ? 'default' : aliases[line.id] === undefined ? '' : `is ${aliases[line.id]}`,
    ]),
  ])
}
