// HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY to the plan: read once, where the rest of the environment is, and
// plain data from there on. The lower-case name wins, as everywhere; a variable set to nothing is not set.

import { readException } from '../../proxies.ts'
import { ConfigErrors, Findings } from '../issues.ts'
import { Places } from '../places.ts'
import type { ProxiesPlan, ProxyPlan } from '../plan.ts'
import { Secret } from '../secret.ts'
import type { Env } from '../values.ts'

/** Every entry is looked at once per upstream; a longer list is a mistake. */
const EXCEPTIONS_MAX = 1_000

/** Null when the environment names no proxy. */
export function compileProxies(env: Env, findings: Findings): ProxiesPlan | null {
  const http = readProxy(env, httpNames(env), findings)
  const https = readProxy(env, ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'], findings)
  if (http === null && https === null) return null
  return { http, https, except: readExceptions(env, findings) }
}

/** For commands that read no configuration. Throws {@link ConfigErrors}. */
export function proxiesOf(env: Env): ProxiesPlan | null {
  const findings = new Findings('environment', new Places())
  const proxies = compileProxies(env, findings)
  if (findings.errors.length > 0) throw new ConfigErrors(findings.errors, findings.warnings)
  return proxies
}

/** Under CGI a caller's header `Proxy` arrives as HTTP_PROXY, so there the name is nobody's setting. */
function httpNames(env: Env): readonly string[] {
  const upper = env['REQUEST_METHOD'] === undefined ? ['HTTP_PROXY'] : []
  return ['http_proxy', ...upper, 'all_proxy', 'ALL_PROXY']
}

function readProxy(env: Env, names: readonly string[], findings: Findings): ProxyPlan | null {
  const name = names.find(one => (env[one] ?? '').trim() !== '')
  if (name === undefined) return null
  const text = env[name]!.trim()
  const proxy = parseProxy(text, secret => findings.hide(secret))
  if (typeof proxy !== 'string') return proxy
  findings.errorIn(name, 'S04', proxy)
  return null
}

const EXPECTED = 'must be like http://host:3128 or https://user:password@host:3129'

/** The proxy, or what is wrong with the text, which is never shown: it may hold a password. */
function parseProxy(text: string, hide: (secret: string) => void): ProxyPlan | string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme?.startsWith('socks') === true) {
    return `names a SOCKS proxy, which is not supported; it ${EXPECTED}`
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return EXPECTED
  const whole = scheme === undefined ? `http://${text}` : text
  if (!URL.canParse(whole)) return EXPECTED
  const url = new URL(whole)
  if (url.hostname === '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') return EXPECTED
  const credentials = credentialsOf(url)
  if (credentials === null) return `has credentials that cannot be sent; it ${EXPECTED}`
  for (const secret of [credentials, url.password, credentials.slice(credentials.indexOf(':') + 1)])
    hide(secret)
  const secure = url.protocol === 'https:'
  return {
    secure,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    credentials: credentials === '' ? null : new Secret(credentials),
  }
}

/** `user:password`, empty without either, null when it is not text that a header can carry. */
function credentialsOf(url: URL): string | null {
  if (url.username === '' && url.password === '') return ''
  try {
    const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    return /[\x00-\x1f\x7f]/.test(text) ? null : text
  } catch {
    return null
  }
}

function readExceptions(env: Env, findings: Findings): string[] {
  const name = ['no_proxy', 'NO_PROXY'].find(one => (env[one] ?? '').trim() !== '')
  if (name === undefined) return []
  const entries = env[name]!.split(/[\s,]+/).filter(entry => entry !== '')
  if (entries.length > EXCEPTIONS_MAX) {
    findings.errorIn(name, 'S04', `must have at most ${EXCEPTIONS_MAX} entries`)
    return []
  }
  const known = entries.filter(entry => readException(entry) !== null)
  if (known.length < entries.length) {
    const message = `${entries.length - known.length} of ${entries.length} entries are no name, address, block like 10.0.0.0/8 or \`*\`, and are not used`
    findings.warnIn(name, 'W20', message)
  }
  return known
}
