// What costs tokens in a GenerateContent body, also in that of `countTokens`.

import {
  type CountedMessage,
  CountedPrompt,
  either,
  jsonText,
  listOf,
  type Members,
  membersOf,
  textOf,
} from './counted.ts'

export function countedGemini(body: Members): CountedPrompt {
  const asked = membersOf(either(body, 'generateContentRequest', 'generate_content_request')) ?? body
  const prompt = new CountedPrompt()
  const system = either(asked, 'systemInstruction', 'system_instruction')
  if (system != null) readContent(prompt, 'system', system)
  for (const content of listOf(asked['contents'])) {
    readContent(prompt, textOf(membersOf(content)?.['role']) || 'user', content)
  }
  for (const tool of listOf(asked['tools'])) {
    const declared = either(membersOf(tool) ?? {}, 'functionDeclarations', 'function_declarations')
    if (declared === undefined) prompt.oddity(tool, prompt.loose)
    for (const item of listOf(declared)) {
      const members = membersOf(item) ?? {}
      const schema =
        members['parameters'] ?? either(members, 'parametersJsonSchema', 'parameters_json_schema')
      prompt.tools.push({
        name: textOf(members['name']),
        description: textOf(members['description']),
        schema,
      })
    }
  }
  if (either(asked, 'cachedContent', 'cached_content') != null) prompt.odd = true
  return prompt
}

function readContent(prompt: CountedPrompt, role: string, content: unknown): void {
  const message = prompt.message(role)
  const members = membersOf(content)
  if (members === null) prompt.oddity(content, message.texts)
  else for (const part of listOf(members['parts'])) readPart(prompt, message, part)
}

function readPart(prompt: CountedPrompt, message: CountedMessage, part: unknown): void {
  const members = membersOf(part)
  if (members === null) {
    prompt.oddity(part, message.texts)
    return
  }
  const call = membersOf(either(members, 'functionCall', 'function_call'))
  const result = membersOf(either(members, 'functionResponse', 'function_response'))
  const inline = membersOf(either(members, 'inlineData', 'inline_data'))
  const file = membersOf(either(members, 'fileData', 'file_data'))
  if (typeof members['text'] === 'string') message.texts.push(members['text'])
  else if (call !== null) {
    message.calls.push({ name: textOf(call['name']), input: jsonText(call['args']) })
  } else if (result !== null) {
    message.calls.push({ name: textOf(result['name']), input: jsonText(result['response']) })
  } else if (inline !== null || file !== null) readData(prompt, message, inline ?? file!)
  else prompt.oddity(part, message.texts)
}

function readData(prompt: CountedPrompt, message: CountedMessage, data: Members): void {
  const base64 = typeof data['data'] === 'string' ? data['data'] : null
  if (textOf(either(data, 'mimeType', 'mime_type')).startsWith('image/')) {
    message.images.push({ base64, detail: '' })
  } else prompt.media(base64)
}
