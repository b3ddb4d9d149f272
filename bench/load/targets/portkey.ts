// Portkey's open gateway (Node), from npm. It reads and writes every body, so its replies are compared by their text.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../children.ts'
import { launch, type Target } from './target.ts'

const PACKAGE = '@portkey-ai/gateway'
const VERSION = '1.15.2'
const READY_MS_MAX = 30_000

const folderIn = (cacheFolder: string): string => join(cacheFolder, `portkey-${VERSION}`)
const packageIn = (cacheFolder: string): string => join(folderIn(cacheFolder), 'node_modules', PACKAGE)

export const portkey: Target = {
  name: 'portkey',
  find: async cacheFolder => {
    const file = join(packageIn(cacheFolder), 'package.json')
    if (!existsSync(file)) return { missing: 'not installed; --with portkey installs it' }
    return { version: (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version }
  },
  install: async cacheFolder => {
    const folder = folderIn(cacheFolder)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"name":"bench-peer","private":true}\n')
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', `${PACKAGE}@${VERSION}`]
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  },
  start: async (facts, version) => {
    const port = await freePort()
    return launch({
      name: 'portkey',
      version,
      port,
      adminPort: null,
      path: '/v1/chat/completions',
      headers: {
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `http://127.0.0.1:${facts.upstreamPort}/v1`,
      },
      model: 'gpt-4o-mini',
      check: 'text',
      command: {
        command: process.execPath,
        args: [join(packageIn(facts.cacheFolder), 'build/start-server.js'), `--port=${port}`, '--headless'],
        cwd: facts.folder,
        env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost', NODE_ENV: 'production' },
        pin: facts.pin,
      },
      readyMsMax: READY_MS_MAX,
    })
  },
}
