// LiteLLM's proxy (Python), from PyPI into an environment of its own. One worker; replies are compared by their text.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../children.ts'
import { launch, type Target, versionOf } from './target.ts'

const VERSION = '1.110.2'
/** It imports most of its providers before it listens. */
const READY_MS_MAX = 120_000

const folderIn = (cacheFolder: string): string => join(cacheFolder, `litellm-${VERSION}`)
const binaryIn = (cacheFolder: string, name: string): string => join(folderIn(cacheFolder), 'bin', name)

function configuration(upstreamPort: number): string {
  return `model_list:
  - model_name: gpt-4o-mini
    litellm_params: { model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:${upstreamPort}/v1", api_key: sk-bench }
litellm_settings: { telemetry: false, num_retries: 0 }
`
}

export const litellm: Target = {
  name: 'litellm',
  find: async cacheFolder => {
    if (!existsSync(binaryIn(cacheFolder, 'litellm'))) {
      return { missing: 'not installed; --with litellm installs it' }
    }
    const args = ['-c', 'import importlib.metadata as m; print("v" + m.version("litellm"))']
    const version = versionOf(binaryIn(cacheFolder, 'python'), args, /^v(\S+)/m)
    return version === null
      ? { missing: 'its environment is broken; remove it and install again' }
      : { version }
  },
  install: async cacheFolder => {
    const folder = folderIn(cacheFolder)
    mkdirSync(cacheFolder, { recursive: true })
    execFileSync('python3', ['-m', 'venv', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
    const args = ['install', '--quiet', '--disable-pip-version-check', `litellm[proxy]==${VERSION}`]
    execFileSync(join(folder, 'bin', 'pip'), args, { stdio: ['ignore', 'ignore', 'inherit'] })
  },
  start: async (facts, version) => {
    const port = await freePort()
    const file = join(facts.folder, 'litellm.yaml')
    writeFileSync(file, configuration(facts.upstreamPort))
    return launch({
      name: 'litellm',
      version,
      port,
      adminPort: null,
      path: '/v1/chat/completions',
      headers: {},
      model: 'gpt-4o-mini',
      check: 'text',
      command: {
        command: binaryIn(facts.cacheFolder, 'litellm'),
        args: ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
        cwd: facts.folder,
        // Its price table comes with the package; it would ask the network for a newer one.
        env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_TELEMETRY: 'False', LITELLM_LOG: 'ERROR' },
        pin: facts.pin,
      },
      readyMsMax: READY_MS_MAX,
    })
  },
}
