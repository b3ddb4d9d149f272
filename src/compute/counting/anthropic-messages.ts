// What costs tokens in a Messages body, also in that of `count_tokens`.

import {
  type CountedMessage,
  CountedPrompt,
  jsonText,
  listOf,
  type Members,
  membersOf,
  textOf,
} from './counted.ts'

export function countedMessages(body: Members): CountedPrompt {
  const prompt = new CountedPrompt()
  if (body['system'] != null) {
    const system = prompt.message('system')
    for (const block of listOf(body['system'])) readBlock(prompt, system, block)
  }
  for (const item of listOf(body['messages'])) {
    const members = membersOf(item)
    if (members === null) {
      prompt.oddity(item, prompt.loose)
      continue
    }
    const message = prompt.message(members['role'])
    for (const block of listOf(members['content'])) readBlock(prompt, message, block)
  }
  for (const tool of listOf(body['tools'])) {
    const members = membersOf(tool)
    if (members?.['input_schema'] === undefined) prompt.oddity(tool, prompt.loose)
    else {
      const { name, description, input_schema: schema } = members
      prompt.tools.push({ name: textOf(name), description: textOf(description), schema })
    }
  }
  const choice = membersOf(body['tool_choice'])?.['type']
  prompt.toolForced = choice === 'any' || choice === 'tool'
  return prompt
}

function readBlock(prompt: CountedPrompt, message: CountedMessage, block: unknown): void {
  if (typeof block === 'string') {
    message.texts.push(block)
    return
  }
  const members = membersOf(block)
  switch (members?.['type']) {
    case 'text':
      message.texts.push(textOf(members['text']))
      return
    case 'thinking':
      message.texts.push(textOf(members['thinking']))
      return
    case 'image':
      message.images.push(imageOf(members))
      return
    case 'document':
      readDocument(prompt, message, members)
      return
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      message.calls.push({ name: textOf(members['name']), input: jsonText(members['input']) })
      return
    case 'tool_result':
      for (const inner of listOf(members['content'])) readInner(prompt, message, inner)
      return
    default:
      prompt.oddity(block, message.texts)
  }
}

/** Blocks within a result: a result within a result is not walked into, it is searched for text. */
function readInner(prompt: CountedPrompt, message: CountedMessage, block: unknown): void {
  if (membersOf(block)?.['type'] === 'tool_result') prompt.oddity(block, message.texts)
  else readBlock(prompt, message, block)
}

function imageOf(block: Members): { base64: string | null; detail: string } {
  const data = membersOf(block['source'])?.['data']
  return { base64: typeof data === 'string' ? data : null, detail: '' }
}

function readDocument(prompt: CountedPrompt, message: CountedMessage, block: Members): void {
  for (const name of ['title', 'context']) {
    if (typeof block[name] === 'string') message.texts.push(block[name])
  }
  const source = membersOf(block['source'])
  switch (source?.['type']) {
    case 'text':
      message.texts.push(textOf(source['data']))
      return
    case 'content':
      for (const part of listOf(source['content'])) {
        const members = membersOf(part)
        if (members?.['type'] === 'image') message.images.push(imageOf(members))
        else if (members?.['type'] === 'text') message.texts.push(textOf(members['text']))
        else prompt.oddity(part, message.texts)
      }
      return
    default:
      prompt.media(source?.['data'])
  }
}
