// Small questions of commands to the world, the way the gateway itself goes: its sockets, its proxies. Bounded in time and
// size, never repeated.

import type { ProxiesPlan } from '../common/config/index.ts'
import type { HeaderList } from '../common/headers.ts'
import { askWhole, createUpstreamClient, type Question } from '../upstream/index.ts'

/** An answer to a small question; more is a page for somebody else. */
const REPLY_BYTES_MAX = 256 * 1024

export interface Answer {
  readonly status: number
  readonly headers: HeaderList
  readonly text: string
}

/** Rejects with a `GatewayError` in words. */
export async function askOutside(
  proxies: ProxiesPlan | null,
  { waitMsMax, ...question }: Question & { readonly waitMsMax: number },
): Promise<Answer> {
  const client = createUpstreamClient({ connectionsMax: 1, proxies })
  try {
    const { status, headers, body } = await askWhole(client, question, {
      waitMsMax,
      bytesMax: REPLY_BYTES_MAX,
      tooLong: 'the reply is too large',
    })
    return { status, headers, text: body }
  } finally {
    await client.close()
  }
}
