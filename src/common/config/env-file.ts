// `.env` beside the configuration: fills holes, never overrides the process environment. Understands what people
// write there: `export`, quotes, comments; not shell expansion.

/** A file of variables is small; more is the wrong file. */
const ENV_FILE_CHARS_MAX = 1024 * 1024

const LINE = /^\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*=\s*(.*)$/

export function parseEnvFile(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  if (text.length > ENV_FILE_CHARS_MAX) return values
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const found = LINE.exec(lines[at]!)
    if (found === null) continue
    const [, name, rest] = found
    const quote = rest![0]
    if (quote === '"' || quote === "'") {
      let body = rest!.slice(1)
      // A quoted value may span lines: certificates and JSON do.
      while (closingQuote(body, quote) < 0 && at + 1 < lines.length) body += `\n${lines[++at]!}`
      const end = closingQuote(body, quote)
      const inside = end < 0 ? body : body.slice(0, end)
      values[name!] = quote === '"' ? withoutEscapes(inside) : inside
    } else {
      values[name!] = rest!.replace(/(?:^|\s+)#.*$/, '').trimEnd()
    }
  }
  return values
}

function closingQuote(text: string, quote: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at += 1
    else if (text[at] === quote) return at
  }
  return -1
}

function withoutEscapes(text: string): string {
  const codes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return text.replace(/\\(.)/g, (_, code: string) => codes[code] ?? code)
}
