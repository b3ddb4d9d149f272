// What only Gemini's clients say in their own form, in the form every other writer understands: schemas of the
// OpenAPI subset become JSON Schemas, a choice among words becomes an instruction. The prompt itself stays as it
// was, because it may be written again for another upstream.

import { JsonArray, JsonObject, readJson } from './bytes/json-tree.ts'
import { jsonSchemaOf } from './openapi.ts'
import { type OutputFormat, Prompt, promptTurn, textPart } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'

export function foreignPrompt(prompt: Prompt, writing: PromptWriting): Prompt {
  const { format } = prompt
  const named = format?.kind === 'enum'
  const openapi = prompt.tools.some(tool => tool.schemaForm === 'openapi') || format?.schemaForm === 'openapi'
  if (prompt.dialect === writing.upstream || !(named || openapi)) return prompt
  const copy = Object.assign(new Prompt(prompt.dialect, prompt.model), prompt)
  copy.tools = prompt.tools.map(tool =>
    tool.schemaForm === 'openapi' && tool.schema !== null
      ? { ...tool, schema: jsonSchemaOf(tool.schema), schemaForm: 'json-schema' }
      : tool,
  )
  if (format === null) return copy
  if (named) {
    writing.loseWish('emulate', 'format', 'choice_by_instruction')
    const at = '/generationConfig'
    copy.format = null
    copy.instructions = [
      ...prompt.instructions,
      promptTurn('system', [textPart(choiceInstruction(format), at)], at),
    ]
  } else if (format.schemaForm === 'openapi' && format.schema !== null) {
    copy.format = { ...format, schema: jsonSchemaOf(format.schema), schemaForm: 'json-schema' }
  }
  return copy
}

function choiceInstruction(format: OutputFormat): string {
  const schema = format.schema === null ? null : readJson(format.schema)
  const list = schema instanceof JsonObject ? schema.get('enum') : null
  const words = list instanceof JsonArray ? list.values.map((_, index) => list.jsonAt(index)).join(', ') : ''
  return `Answer with one of these values only, without quotation marks or any other text: ${words}`
}
