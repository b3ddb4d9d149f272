// Every fixture of every dialect through every other, one file per result, made to be read at a glance.

import { describe, expect, test } from 'vitest'
import { memberPath } from '../../src/translate/loss.ts'
import { translatePrompt } from '../../src/translate/pair.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import {
  ableTarget,
  dialects,
  golden,
  legible,
  prompts,
  replies,
  streams,
  text,
  translateReply,
} from './harness.ts'

function pretty(bytes: Uint8Array): string {
  // Printed by hand instead of parsed: a golden shows the spelling of numbers.
  const json = text(bytes)
  let depth = 0
  let out = ''
  for (const token of json.match(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^{}[\],:"]+/g) ?? []) {
    if (token === '{' || token === '[') out += token + '\n' + '  '.repeat(++depth)
    else if (token === '}' || token === ']') out += '\n' + '  '.repeat(--depth) + token
    else if (token === ',') out += ',\n' + '  '.repeat(depth)
    else out += token === ':' ? ': ' : token
  }
  return out.replace(/([{[])\n\s*([}\]])/g, '$1$2') + '\n'
}

function promptResult(
  client: (typeof dialects)[number],
  upstream: (typeof dialects)[number],
  body: Uint8Array,
): string {
  try {
    const written = translatePrompt(client.id, upstream.id, body, ableTarget(upstream.id), false)
    const losses = written.losses.map(loss => `# ${loss.action} ${memberPath(loss.field)} ${loss.reason}\n`)
    JSON.parse(text(written.body))
    return losses.join('') + pretty(written.body)
  } catch (error) {
    if (!(error instanceof TranslateError)) throw error
    return `# refused: ${error.message}\n`
  }
}

for (const client of dialects) {
  for (const upstream of dialects) {
    describe(`${client.id} asks ${upstream.id}`, () => {
      const folder = `${client.id}.${upstream.id}`
      test.each(prompts(client.id))('prompt $name', fixture => {
        const result = promptResult(client, upstream, fixture.bytes)
        expect(result).toBe(golden(folder, `prompt.${fixture.name}.txt`, result))
        expect(promptResult(client, upstream, fixture.bytes)).toBe(result)
      })
      test.each(replies(upstream.id))('reply $name', fixture => {
        const { bytes, facts } = translateReply(client.id, upstream.id, false, [fixture.bytes])
        const result = `# ${facts.state} ${facts.finish}\n${pretty(bytes)}`
        expect(result).toBe(golden(folder, `reply.${fixture.name}.txt`, result))
      })
      test.each(streams(upstream.id))('stream $name', fixture => {
        const { bytes, facts } = translateReply(client.id, upstream.id, true, [fixture.bytes])
        const result = `# ${facts.state} ${facts.finish}\n${legible(client.id, bytes)}`
        expect(result).toBe(golden(folder, `stream.${fixture.name}.txt`, result))
      })
    })
  }
}
