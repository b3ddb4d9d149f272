// The small parts: durations, sizes, nearest names, places, what a message hides.

import { describe, expect, test } from 'vitest'
import { durationMs, sizeBytes } from '../../src/common/config/durations.ts'
import { Findings } from '../../src/common/config/issues.ts'
import { Places, pathText } from '../../src/common/config/places.ts'
import { readYaml } from '../../src/common/config/read-yaml.ts'
import { editDistance, nearestNames } from '../../src/common/nearest.ts'

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['1ms', 1],
    ['0.5s', 500],
    ['0.005s', 5],
    ['1.5m', 90_000],
    ['1h30m', 5_400_000],
    ['1m1s1ms', 61_001],
    ['1d', 86_400_000],
  ])('%s', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })
  test.each(['', '1', 's', '-1s', '1 s', '1S', '1w', '99d', '1e3s', '1..5s'])('%j is none', text => {
    expect(durationMs(text)).toBeNull()
  })
})

describe('sizes', () => {
  test.each([
    ['1', 1],
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5 MiB', 1_572_864],
    ['2MB', 2_000_000],
    ['1GiB', 1_073_741_824],
  ])('%s', (text, bytes) => {
    expect(sizeBytes(text)).toBe(bytes)
  })
  test.each(['', 'KiB', '-1', '1 kib', '1TiB', '1e3', '1  MiB'])('%j is none', text => {
    expect(sizeBytes(text)).toBeNull()
  })
})

describe('nearest names', () => {
  test('a swap of neighbours, a letter too many, one too few, another one', () => {
    for (const slip of ['gpt-o4', 'gpt-44o', 'gpt-o', 'gpt-5o']) expect(editDistance(slip, 'gpt-4o')).toBe(1)
  })

  test('nothing is near to something else', () => {
    expect(nearestNames('zzz', ['gpt-4o', 'claude'], 3)).toEqual([])
  })

  test('case is no difference, and the nearest comes first', () => {
    expect(nearestNames('GPT-4O', ['gpt-4o-mini', 'gpt-4.1', 'gpt-4o'], 2)).toEqual(['gpt-4o', 'gpt-4o-mini'])
  })

  test('a name without its vendor is near', () => {
    expect(nearestNames('claude-sonnet-4-5', ['anthropic/claude-sonnet-4-5', 'openai/gpt-4o'], 1)).toEqual([
      'anthropic/claude-sonnet-4-5',
    ])
  })

  test('a long hostile name costs next to nothing', () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `model-${at}-${'x'.repeat(200)}`)
    const started = performance.now()
    nearestNames('y'.repeat(1_000_000), names, 3)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('places', () => {
  const text = `top:
  list:
    - name: a
    - {name: b, deep: {er: 1}}
  "odd key": 2
`
  const places = new Places()
  const findings = new Findings('file.yaml', places)
  const tree = readYaml(text, findings, places)

  test.each([
    [['top'], 'value', 2, 3, 'top'],
    [['top'], 'key', 1, 1, 'top'],
    [['top', 'list', 0, 'name'], 'value', 3, 13, 'top.list[0].name'],
    [['top', 'list', 1], 'value', 4, 7, 'top.list[1]'],
    [['top', 'list', 1, 'deep', 'er'], 'value', 4, 28, 'top.list[1].deep.er'],
    [['top', 'list', 1, 'deep', 'er'], 'key', 4, 24, 'top.list[1].deep.er'],
    [['top', 'odd key'], 'value', 5, 14, 'top["odd key"]'],
    [['top', 'missing'], 'value', 2, 3, 'top.missing'],
    [[], 'value', 1, 1, '(top)'],
  ] as const)('%j as %s', (path, of, line, column, shown) => {
    expect(places.at(tree, path, of)).toEqual({ line, column, path: shown })
  })

  test('an object that moved keeps its place', () => {
    const list = (tree as { top: { list: object[] } }).top.list
    expect(places.at({ elsewhere: [list[1]] }, ['elsewhere', 0, 'name'])).toMatchObject({
      line: 4,
      path: 'top.list[1].name',
    })
  })

  test('paths of odd keys are printable', () => {
    expect(pathText(['a\nb', 'c.d'])).toBe('["a?b"]["c.d"]')
  })
})

describe('reading', () => {
  const read = (text: string) => {
    const places = new Places()
    const findings = new Findings('file.yaml', places)
    return { tree: readYaml(text, findings, places), errors: findings.errors, warnings: findings.warnings }
  }

  test('booleans are those of YAML 1.1, and the letters y and n are text', () => {
    expect({ ...(read('a: yes\nb: Off\nc: y\nd: n\ne: on\nf: "no"').tree as object) }).toEqual({
      a: true,
      b: false,
      c: 'y',
      d: 'n',
      e: true,
      f: 'no',
    })
  })

  test('dates, binary and sets stay what they are written as', () => {
    expect({ ...(read('a: 2026-01-01\nb: !!binary aGk=\nc: 1:30').tree as object) }).toEqual({
      a: '2026-01-01',
      b: 'aGk=',
      c: '1:30',
    })
  })

  test('a file that doubles at every line is refused quickly', () => {
    const lines = ['a0: &a0 [x, x]']
    for (let at = 1; at < 40; at++) lines.push(`a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`)
    const started = performance.now()
    expect(read(lines.join('\n')).errors[0]!.message).toMatch(/too large once its aliases are unfolded/)
    expect(performance.now() - started).toBeLessThan(3_000)
  })

  test('a file nested thousands deep is refused', () => {
    expect(read(`${'['.repeat(20_000)}`).errors.length).toBeGreaterThan(0)
    expect(read(`a: ${'{a: '.repeat(100)}1${'}'.repeat(100)}`).errors[0]!.message).toMatch(
      /nested too deeply/,
    )
  })

  test('an alias inside its own anchor is refused', () => {
    expect(read('a: &a [*a]').errors).not.toEqual([])
  })

  test('a key called __proto__ is a key', () => {
    const { tree } = read('__proto__: {polluted: true}')
    expect(Object.keys(tree as object)).toEqual(['__proto__'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('messages', () => {
  const scrub = (text: string, ...hidden: string[]) => {
    const findings = new Findings('file.yaml', new Places())
    for (const secret of hidden) findings.hide(secret)
    return findings.scrub(text)
  }

  test('mask what was named a secret', () => {
    expect(scrub('found "hunter22!" twice: hunter22!', 'hunter22!')).toBe('found "***" twice: ***')
  })

  test.each(['sk-ant-api03-abcdef', 'gsk_abcdefgh12345', 'AIzaSyAbcdefgh', 'ghp_abcdefgh12345'])(
    'mask what looks like a key: %s',
    key => {
      expect(scrub(`found "${key}"`)).toBe('found "***"')
    },
  )

  test('mask passwords in addresses and bearer values', () => {
    expect(scrub('redis://:pass@h and Bearer abc.def')).toBe('redis://***@h and Bearer ***')
  })

  test('mask parameters that are named like keys', () => {
    expect(scrub('found "https://h/v1?api-version=2&api_key=abc&x=1"')).toBe(
      'found "https://h/v1?api-version=2&api_key=***&x=1"',
    )
  })

  test('leave names of models alone', () => {
    const names =
      'claude-sonnet-4-5-20250929 gpt-4o-2024-11-20 us.anthropic.claude-opus-4-1-20250805-v1:0 task-force-gpt'
    expect(scrub(names)).toBe(names)
  })
})
