// Which calls go through a proxy: the rules as a table, and where the environment's words end up.

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Findings, issueText } from '../../src/common/config/issues.ts'
import { compileProxies } from '../../src/common/config/compile/proxies.ts'
import { Places } from '../../src/common/config/places.ts'
import { ProxyRules, proxyText, readException } from '../../src/common/proxies.ts'

const PROXY = { secure: false, host: 'proxy.corp', port: 3128, credentials: null }

function proxied(origin: string, except: string): boolean {
  const rules = new ProxyRules({ http: PROXY, https: PROXY, except: except.split(/[\s,]+/).filter(Boolean) })
  return rules.proxyFor(origin) !== null
}

function compiled(env: Record<string, string>) {
  const findings = new Findings('environment', new Places())
  const proxies = compileProxies(env, findings)
  return {
    proxies,
    errors: findings.errors.map(issueText),
    warnings: findings.warnings.map(issueText),
    text: (kind: 'http' | 'https') => (proxies?.[kind] ? proxyText(proxies[kind]) : null),
  }
}

describe('NO_PROXY', () => {
  test.each([
    ['', 'https://api.openai.com', true],
    ['*', 'https://api.openai.com', false],
    ['*:443', 'https://api.openai.com', false],
    ['*:443', 'http://api.openai.com', true],
    ['openai.com', 'https://openai.com', false],
    ['openai.com', 'https://api.openai.com', false],
    ['openai.com', 'https://notopenai.com', true],
    ['openai.com', 'https://openai.com.evil.test', true],
    ['.openai.com', 'https://api.openai.com', false],
    ['.openai.com', 'https://openai.com', false],
    ['.openai.com', 'https://notopenai.com', true],
    ['*.openai.com', 'https://api.eu.openai.com', false],
    ['OpenAI.com', 'https://api.openai.COM', false],
    ['openai.com.', 'https://api.openai.com', false],
    ['openai.com', 'https://api.openai.com.', false],
    ['openai.com:8443', 'https://api.openai.com:8443', false],
    ['openai.com:8443', 'https://api.openai.com', true],
    ['openai.com:443', 'https://api.openai.com', false],
    ['openai.com:80', 'http://openai.com', false],
    ['10.1.2.3', 'http://10.1.2.3:8000', false],
    ['10.1.2.3', 'http://10.1.2.30:8000', true],
    ['10.1.2.3:8000', 'http://10.1.2.3:8000', false],
    ['10.1.2.3:8000', 'http://10.1.2.3:8001', true],
    ['10.0.0.0/8', 'http://10.200.0.1', false],
    ['10.0.0.0/8', 'http://11.0.0.1', true],
    ['10.0.0.0/8', 'http://10.example.test', true],
    ['192.168.1.128/25', 'http://192.168.1.127', true],
    ['192.168.1.128/25', 'http://192.168.1.128', false],
    ['0.0.0.0/0', 'https://8.8.8.8', false],
    ['fd12::/16', 'http://[fd12:1::1]:8000', false],
    ['fd12::/16', 'http://[fd13::1]', true],
    ['fd12::7', 'http://[fd12:0::7]', false],
    ['[fd12::7]:8000', 'http://[fd12::7]:8000', false],
    ['[fd12::7]:8000', 'http://[fd12::7]:8001', true],
    ['10.0.0.0/8', 'http://[::ffff:10.1.1.1]', false],
    ['a.test, b.test c.test', 'https://b.test', false],
    ['a.test, b.test c.test', 'https://c.test', false],
    ['a.test, b.test c.test', 'https://d.test', true],
    ['münchen.test', 'https://api.xn--mnchen-3ya.test', false],
  ])('%j: %s through a proxy is %s', (except, origin, through) => {
    expect(proxied(origin, except)).toBe(through)
  })

  test.each([
    'http://localhost:11434',
    'http://demo.localhost',
    'http://127.0.0.1:9999',
    'http://127.8.9.10',
    'https://[::1]:8443',
    'http://[::ffff:127.0.0.1]:80',
    'http://0.0.0.0:80',
    'http://169.254.169.254',
    'http://169.254.170.2',
    'http://[fd00:ec2::254]',
    'http://[fe80::1]',
    'http://metadata.google.internal',
    // Other ways to write the same, which URLs make one.
    'http://0x7f.1',
    'http://2130706433',
  ])('is not needed for %s, which no proxy could reach for us', origin => {
    expect(proxied(origin, '')).toBe(false)
  })

  test.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    'fd12::/129',
    '10.0.0.0/8/8',
    'a/b',
    'foo*',
    'a.*.b',
    'host:0',
    'host:65536',
    ':80',
    '.',
    '[::1',
    'http://host',
  ])('does not know %s', text => {
    expect(readException(text)).toBeNull()
  })
})

describe('the environment', () => {
  test('names no proxy, and there is none', () => {
    expect(compiled({ NO_PROXY: '*', https_proxy: '', HTTP_PROXY: ' ' }).proxies).toBeNull()
  })

  test('names one per scheme, the lower-case name first, and ALL_PROXY for what is left', () => {
    const { text } = compiled({
      HTTPS_PROXY: 'http://upper:1',
      https_proxy: 'http://lower:2',
      ALL_PROXY: 'https://all',
    })
    expect([text('https'), text('http')]).toEqual(['http://lower:2', 'https://all:443'])
    expect(compiled({ HTTPS_PROXY: 'http://p:1' }).text('http')).toBeNull()
    expect(compiled({ HTTP_PROXY: 'http://p:1' }).text('https')).toBeNull()
  })

  test.each([
    ['proxy.corp:3128', 'http://proxy.corp:3128'],
    ['proxy.corp', 'http://proxy.corp:80'],
    ['HTTP://Proxy.Corp:3128/', 'http://proxy.corp:3128'],
    ['https://proxy.corp', 'https://proxy.corp:443'],
    ['http://[fd12::1]:3128', 'http://[fd12::1]:3128'],
    ['http://ali:sesame@proxy.corp:3128', 'http://***@proxy.corp:3128'],
  ])('says %s and means %s', (written, meant) => {
    expect(compiled({ https_proxy: written }).text('https')).toBe(meant)
  })

  test('may escape credentials, which nothing prints', () => {
    const { proxies } = compiled({ https_proxy: 'http://us%40er:p%3Ass%20w%C3%B6rd@proxy.corp' })
    expect(proxies?.https?.credentials?.secret).toBe('us@er:p:ss wörd')
    expect(inspect(proxies, { depth: 9 }) + JSON.stringify(proxies)).not.toMatch(/us@er|wörd/)
  })

  test('gives HTTP_PROXY no meaning under CGI, where a caller can set it', () => {
    const env = { REQUEST_METHOD: 'GET', HTTP_PROXY: 'http://evil:1' }
    expect(compiled(env).proxies).toBeNull()
    expect(compiled({ ...env, http_proxy: 'http://mine:1' }).text('http')).toBe('http://mine:1')
  })

  test.each([
    ['socks5://ali:sesame@proxy.corp:1080', 'names a SOCKS proxy, which is not supported'],
    ['socks5h://proxy.corp', 'names a SOCKS proxy, which is not supported'],
    ['ftp://ali:sesame@proxy.corp', 'must be like http://host:3128'],
    ['http://ali:sesame@proxy.corp/path', 'must be like http://host:3128'],
    ['http://ali:sesame@', 'must be like http://host:3128'],
    ['http://ali:sesame%0a@proxy.corp', 'has credentials that cannot be sent'],
    ['http://ali:sesame%ff@proxy.corp', 'has credentials that cannot be sent'],
    ['http://proxy.corp:99999', 'must be like http://host:3128'],
  ])('that says %s is refused in words without the password', (written, words) => {
    const { errors } = compiled({ HTTPS_PROXY: written })
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(`environment HTTPS_PROXY: S04 ${words}`)
    expect(errors[0]).not.toContain('sesame')
  })

  test('has entries in NO_PROXY that are understood, and is told how many are not', () => {
    const { proxies, warnings } = compiled({
      https_proxy: 'p:1',
      no_proxy: ' a.test,,10.0.0.0/99  *.b.test ',
    })
    expect(proxies?.except).toEqual(['a.test', '*.b.test'])
    expect(warnings).toEqual([
      'environment no_proxy: W20 1 of 3 entries are no name, address, block like 10.0.0.0/8 or `*`, and are not used',
    ])
    expect(compiled({ https_proxy: 'p:1', NO_PROXY: 'a,'.repeat(1_001) }).errors[0]).toContain('at most 1000')
  })
})
