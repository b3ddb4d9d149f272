// Asking a person. Owns the two kinds of question; whoever asks has made sure that somebody is there.

import { createInterface } from 'node:readline/promises'

/** The person has ended the input: that is an answer, and it means no. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export async function ask(question: string, usual: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const cancelled = new Promise<never>((_, reject) => {
      reader.once('SIGINT', () => reject(new Cancelled('cancelled')))
      reader.once('close', () => reject(new Cancelled('cancelled')))
    })
    const answer = await Promise.race([
      reader.question(`${question}${usual === '' ? '' : ` [${usual}]`} `),
      cancelled,
    ])
    return answer.trim() === '' ? usual : answer.trim()
  } finally {
    reader.close()
  }
}

export async function confirm(question: string): Promise<boolean> {
  return /^y(?:es)?$/i.test(await ask(`${question} (y/n)`, 'n'))
}
