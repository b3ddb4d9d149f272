// The door of the module: opens an acceptor of the kind that was asked for, or of the best kind that loads.

import type { Engine } from '../gateway/index.ts'
import type { Acceptor, AcceptorOptions } from './acceptor.ts'
import type { Native } from './native.ts'

export {
  ACCEPTOR_TRAITS,
  type Acceptor,
  type AcceptorBounds,
  type AcceptorKind,
  type AcceptorOptions,
  type AcceptorTraits,
} from './acceptor.ts'
export { portSharing } from './port-sharing.ts'

export interface OpenedAcceptor {
  readonly acceptor: Acceptor
  /** Why `auto` did not take `uws`, in one line for the start-up log; null when it did or was not asked. */
  readonly fallback: string | null
}

/**
 * Makes an acceptor; it does not listen yet. Fails when the kind asked for cannot be had, or when its TLS files
 * cannot be used. Each kind is loaded only when it is needed.
 */
export async function openAcceptor(options: AcceptorOptions, engine: Engine): Promise<OpenedAcceptor> {
  let fallback: string | null = null
  if (options.kind !== 'node') {
    const native = await nativeOrReason()
    if (typeof native !== 'string') {
      const { UwsAcceptor } = await import('./uws.ts')
      return { acceptor: new UwsAcceptor(native, options, engine), fallback: null }
    }
    if (options.kind === 'uws') throw new Error(native)
    fallback = native
  }
  const { NodeAcceptor } = await import('./node.ts')
  return { acceptor: new NodeAcceptor(options, engine), fallback }
}

async function nativeOrReason(): Promise<Native | string> {
  const { loadNative } = await import('./native.ts')
  try {
    return loadNative()
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}
