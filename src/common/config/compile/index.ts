// From a valid document to the plan, with every rule that needs more than one key.

import { warnUnused } from '../check/unused.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { Plan } from '../plan.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { Env } from '../values.ts'
import { compileAliases } from './aliases.ts'
import { compileAdmin, compileServer, compileUpstream } from './bounds.ts'
import { compileFeatures } from './features.ts'
import { hashPlan } from './hash.ts'
import { internalProviders } from './internal.ts'
import { checkAdminPort, compileListeners } from './listeners.ts'
import { ModelNames } from './names.ts'
import { checkFallbacks, compileProviders } from './providers.ts'
import { compileRemotes } from './remotes.ts'

export interface CompileSources {
  readonly findings: Findings
  readonly env: Env
  /** Relative paths of the file start here. */
  readonly folder: string
  /** Where provider entry `at` came from. */
  readonly noteOf: (at: number) => string
  /** What stood in the file before references were replaced. */
  readonly writtenAt?: (path: Path) => string | undefined
  /** Told of every file that the plan depends on. */
  readonly onFile?: ((absolute: string) => void) | undefined
}

/** A plan is returned also where something is wrong, so that one run finds everything; see `findings`. */
export function compile(document: ConfigDocument, sources: CompileSources): Plan {
  const { findings, env, folder } = sources
  const providers = compileProviders(document.model_providers, sources)
  const names = new ModelNames(providers)
  const aliases = compileAliases(document.model_aliases, names, findings)
  checkFallbacks(document.model_providers, names, aliases, findings)
  const upstream = compileUpstream(document, env, findings)
  const remotes = compileRemotes(document, upstream.connectMs, findings)
  const everyTls = document.server.tls
  const { listeners, features } = compileListeners(document.listeners, {
    findings,
    folder,
    everyTls,
    remotes,
    onFile: sources.onFile,
  })
  const admin = compileAdmin(document.admin, env, findings)
  checkAdminPort(admin, listeners, findings)
  warnUnused(document, findings)
  const plan = {
    epoch: 1,
    listeners,
    providers: [...providers, ...internalProviders(document, providers)],
    aliases,
    server: compileServer(document.server, env, findings),
    upstream,
    admin,
    features: compileFeatures({
      document,
      remotes,
      listeners: features,
      sockets: listeners,
      providers,
      names,
      aliases,
      env,
      findings,
    }),
  }
  return { ...plan, hash: hashPlan(plan) }
}
