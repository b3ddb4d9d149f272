// The rules of the house that a machine can check. A failure names the file and the remedy.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const LEVELS: Readonly<Record<string, number>> = {
  translate: 0,
  common: 1,
  providers: 2,
  upstream: 2,
  routing: 2,
  agents: 2,
  state: 2,
  signals: 2,
  limits: 2,
  guards: 2,
  telemetry: 2,
  gateway: 3,
  compute: 4,
  shards: 4,
  acceptor: 4,
  admin: 4,
  envoy: 4,
  demo: 4,
  cli: 5,
}
const TOP_LEVEL = 5
const FILE_LINES_MAX = 600
const FUNCTION_LINES_MAX = 70
const TOP_ENTRIES = new Set([
  'package.json',
  'package-lock.json',
  'src',
  'workers',
  'bench',
  'config',
  'test',
  'docs',
  'tsconfig.json',
  'tsconfig.base.json',
  'biome.json',
  'vitest.config.ts',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'LICENSE',
])
const NOT_OURS = new Set(['node_modules', 'dist'])

/** Words of which the house uses another (see CONTRIBUTING.md, "Words"). */
const WRONG_WORDS: Readonly<Record<string, string>> = {
  ctx: 'exchange',
  cfg: 'config',
  backend: 'provider or upstream',
  middleware: 'filter or guard',
  plugin: 'filter',
  downstream: 'client',
  translator: 'pair',
  serializer: 'writer',
  deserializer: 'reader',
}

interface SourceFile {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (NOT_OURS.has(entry.name) || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

function sources(...folders: string[]): SourceFile[] {
  return folders
    .filter(folder => statSync(join(ROOT, folder), { throwIfNoEntry: false }) !== undefined)
    .flatMap(folder => filesBelow(join(ROOT, folder)))
    .filter(path => path.endsWith('.ts'))
    .map(path => {
      const text = readFileSync(path, 'utf8')
      return { path: relative(ROOT, path), text, lines: text.split('\n') }
    })
}

const ALL = sources('src', 'workers', 'bench', 'test')
const PRODUCT = ALL.filter(file => file.path.startsWith('src') || file.path.startsWith('workers'))

/** Names of `node:net` that compare addresses and open nothing. */
const ADDRESS_RULES = /^import \{ BlockList, isIP \} from 'node:net'$/m

function importsOf(file: SourceFile): string[] {
  const found = [...file.text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s+['"]([^'"]+)['"]/g)]
  const dynamic = [...file.text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)]
  return [...found, ...dynamic].map(match => match[1]!)
}

/** `src/gateway/x.ts` → `gateway`; files directly in src, and workers, are the top. */
function moduleOf(path: string): string {
  const parts = path.split(sep)
  return parts[0] === 'src' && parts.length > 2 ? parts[1]! : 'top'
}

function levelOf(module: string): number {
  return module === 'top' ? TOP_LEVEL : (LEVELS[module] ?? Number.NaN)
}

describe('the tree', () => {
  test('holds at its top only what the house has a place for', () => {
    const found = readdirSync(ROOT).filter(name => !name.startsWith('.') && !NOT_OURS.has(name))
    expect(found.filter(name => !TOP_ENTRIES.has(name))).toEqual([])
  })

  test('has only modules whose level is known', () => {
    const unknown = new Set(
      PRODUCT.map(file => moduleOf(file.path)).filter(module => Number.isNaN(levelOf(module))),
    )
    expect([...unknown], 'give the module a level in test/tidy.test.ts and CONTRIBUTING.md').toEqual([])
  })

  test('gives every module a door and a README', () => {
    const modules = readdirSync(join(ROOT, 'src')).filter(name => name in LEVELS && name !== 'cli')
    const missing = modules.flatMap(module => {
      const names = readdirSync(join(ROOT, 'src', module))
      if (module === 'common') return []
      return ['index.ts', 'README.md']
        .filter(name => !names.includes(name))
        .map(name => `src/${module}/${name}`)
    })
    expect(missing).toEqual([])
  })
})

describe('imports', () => {
  test('go down the levels, never up and never to a sibling', () => {
    const breaches = PRODUCT.flatMap(file => {
      const from = moduleOf(file.path)
      return importsOf(file)
        .filter(target => target.startsWith('.'))
        .map(target => relative(ROOT, resolve(ROOT, dirname(file.path), target)))
        .filter(target => {
          const to = moduleOf(target)
          // Commands start the process, so they stand beside the files that do.
          if (from === 'cli' && to === 'top') return false
          return to !== from && from !== 'top' && levelOf(to) >= levelOf(from)
        })
        .map(
          target =>
            `${file.path} imports ${target}: declare the interface it needs, compose passes the thing`,
        )
    })
    expect(breaches).toEqual([])
  })

  test('enter another module by its door only', () => {
    const breaches = PRODUCT.flatMap(file => {
      const from = moduleOf(file.path)
      return importsOf(file)
        .filter(target => target.startsWith('.'))
        .map(target => relative(ROOT, resolve(ROOT, dirname(file.path), target)))
        .filter(target => {
          const to = moduleOf(target)
          if (to === from || to === 'top' || to === 'common') return false
          return target !== join('src', to, 'index.ts')
        })
        .map(target => `${file.path} imports ${target}: import the module's index.ts`)
    })
    expect(breaches).toEqual([])
  })

  test('of the leaf stay in the leaf', () => {
    const allowed = new Set(['eventsource-parser', '@smithy/eventstream-codec'])
    const breaches = PRODUCT.filter(file => moduleOf(file.path) === 'translate').flatMap(file =>
      importsOf(file)
        .filter(target => !target.startsWith('.') && !allowed.has(target))
        .map(target => `${file.path} imports ${target}`),
    )
    expect(breaches).toEqual([])
  })

  test('say which file they mean', () => {
    const breaches = ALL.flatMap(file =>
      importsOf(file)
        .filter(target => target.startsWith('.') && !/\.(?:ts|json)$/.test(target))
        .map(target => `${file.path}: ${target}`),
    )
    expect(breaches).toEqual([])
  })

  test('never close a circle inside the product', () => {
    expect(circles(PRODUCT)).toEqual([])
  })

  test('load nothing into a shard that only the reading of a file needs', () => {
    const loaded = loadedBy(join('workers', 'shard.ts'))
    expect(loaded.size).toBeGreaterThan(100)
    expect(
      ['zod', 'yaml', 'commander'].map(name => loaded.get(name)).filter(from => from !== undefined),
    ).toEqual([])
  })
})

/** Whatever is loaded with a file, and the file that asks for it. */
function loadedBy(entry: string): Map<string, string> {
  const files = new Map(PRODUCT.map(file => [file.path, file]))
  const loaded = new Map([[entry, '']])
  for (const path of loaded.keys()) {
    const file = files.get(path)
    for (const target of file === undefined ? [] : valueImports(file)) {
      const name = target.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), target)) : target
      if (!loaded.has(name)) loaded.set(name, path)
    }
  }
  return loaded
}

function circles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map(file => [
      file.path,
      valueImports(file)
        .filter(target => target.startsWith('.'))
        .map(target => relative(ROOT, resolve(ROOT, dirname(file.path), target))),
    ]),
  )
  const state = new Map<string, 'open' | 'closed'>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'closed') return
    if (state.get(path) === 'open') {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, 'closed')
  }
  for (const file of files) visit(file.path, [])
  return found
}

/** Imports that exist at run time; circles of types alone are no circles. */
function valueImports(file: SourceFile): string[] {
  return [...file.text.matchAll(/(?:^|\n)(?:import|export)\s+(?!type\b)([^'"`;]*?)from\s+['"]([^'"]+)['"]/g)]
    .filter(match => {
      const names = /\{([^}]*)\}/.exec(match[1]!)?.[1]
      return (
        names === undefined || names.split(',').some(name => name.trim() !== '' && !/^\s*type\b/.test(name))
      )
    })
    .map(match => match[2]!)
}

describe('sizes', () => {
  test(`no file is longer than ${FILE_LINES_MAX} lines without saying why`, () => {
    const long = ALL.filter(
      file => file.lines.length > FILE_LINES_MAX && !/^\/\/ tidy: long because/.test(file.text),
    )
    expect(long.map(file => `${file.path}: ${file.lines.length} lines`)).toEqual([])
  })

  test(`no function is longer than ${FUNCTION_LINES_MAX} lines without saying why`, () => {
    expect(PRODUCT.flatMap(longFunctions)).toEqual([])
  })
})

const FUNCTION_HEAD =
  /^(\s*)(?:export\s+)?(?:default\s+)?(?:(?:async\s+)?function\b|(?:(?:private|public|protected|static|override|async|get|set)\s+)*[\w$#]+(?:<[^>]*>)?\([^)]*\)?[^;=]*\{$|const\s+\w+\s*=\s*(?:async\s*)?\(.*=>\s*\{$)/

/** The formatter makes the closing brace stand under the first letter of the head. */
function longFunctions(file: SourceFile): string[] {
  const found: string[] = []
  file.lines.forEach((line, at) => {
    const head = FUNCTION_HEAD.exec(line)
    if (head === null || /^\s*(?:if|for|while|switch|catch|return|else)\b/.test(line)) return
    const close = `${head[1]}}`
    const end = file.lines.findIndex((other, index) => index > at && other.startsWith(close))
    const excused = /tidy: long because/.test(`${file.lines[at - 1] ?? ''}${line}${file.lines[at + 1] ?? ''}`)
    if (end - at + 1 > FUNCTION_LINES_MAX && !excused) {
      found.push(`${file.path}:${at + 1} is ${end - at + 1} lines long; split it`)
    }
  })
  return found
}

describe('words', () => {
  test('of files and exported names are those of the house', () => {
    const breaches = PRODUCT.flatMap(file => {
      const names = [
        ...file.text.matchAll(/\bexport\s+(?:const|function|class|interface|type)\s+(\w+)/g),
      ].map(m => m[1]!)
      const parts = [...names, file.path.split(sep).pop()!.replace(/\.ts$/, '')].flatMap(name =>
        name
          .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
          .toLowerCase()
          .split(/[^a-z]+/),
      )
      return parts
        .filter(part => part in WRONG_WORDS)
        .map(part => `${file.path}: "${part}" is "${WRONG_WORDS[part]}"`)
    })
    expect(breaches).toEqual([])
  })

  test('of every product file begin with what the file owns', () => {
    const silent = PRODUCT.filter(
      file => !/^(?:#!.*\n)?\/\/ \S/.test(file.text) && !file.path.endsWith('.d.ts'),
    )
    expect(silent.map(file => `${file.path}: open with a comment that says what the file owns`)).toEqual([])
  })
})

describe('promises', () => {
  test('tests are never focused or skipped without a reason', () => {
    const breaches = ALL.filter(file => file.path.startsWith('test')).flatMap(file =>
      file.lines
        .map((line, at) => ({ line, at }))
        .filter(({ line }) => /\b(?:test|it|describe)\.only\(/.test(line))
        .map(({ at }) => `${file.path}:${at + 1}`),
    )
    expect(breaches).toEqual([])
  })

  test('only the upstream module opens sockets towards the world', () => {
    const breaches = PRODUCT.filter(file =>
      ['providers', 'routing', 'gateway', 'common'].includes(moduleOf(file.path)),
    )
      .filter(file =>
        importsOf({ ...file, text: file.text.replace(ADDRESS_RULES, '') }).some(target =>
          /^(?:node:(?:net|tls|http|https|http2|dgram)|undici)$/.test(target),
        ),
      )
      .map(file => file.path)
    expect(breaches).toEqual([])
  })

  test('the README and the documents speak of files that exist', () => {
    const documents = ['README.md', 'CONTRIBUTING.md'].filter(name =>
      statSync(join(ROOT, name), { throwIfNoEntry: false }),
    )
    const missing = documents.flatMap(name => {
      const text = readFileSync(join(ROOT, name), 'utf8')
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
        .map(match => match[1]!)
        .filter(target => statSync(join(ROOT, target), { throwIfNoEntry: false }) === undefined)
        .map(target => `${name} links to ${target}`)
    })
    expect(missing).toEqual([])
  })
})
