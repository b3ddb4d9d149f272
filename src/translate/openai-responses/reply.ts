// Whole Responses replies. The reader feeds items through the same code as a stream; the writer prints what the
// items of the turn have become.

import { listOf, type Members, membersOf, textOf } from '../bytes/json-look.ts'
import type { ErrorReply } from '../errors.ts'
import { brokenReply } from '../translate-error.ts'
import { ElementSource, WholeReplyReader } from '../whole-reply.ts'
import { ItemFeed, NAMELESS } from './item-read.ts'
import { ItemWriter } from './items-write.ts'
import { headOf } from './response-read.ts'
import { errorJson, failureJson, readErrorMembers } from './stream-error.ts'
import { finishOf, readUsage } from './wire.ts'

/** A reply that is none yet: it was asked for in the background, or stopped there. */
const UNFINISHED: ReadonlySet<string> = new Set(['queued', 'in_progress', 'cancelled'])

export class ResponsesReplyReader extends WholeReplyReader {
  protected reply(reply: Members, text: string): void {
    const status = textOf(reply['status'])
    const error = membersOf(reply['error'])
    if (error !== null && status === '') this.to.fail(readErrorMembers(error))
    else if (!Array.isArray(reply['output'])) this.to.fail(brokenReply('output is not a list'))
    else if (UNFINISHED.has(status)) this.to.fail(brokenReply(`its status is ${status}`))
    else this.turn(reply, text, status === 'failed' ? readErrorMembers(error ?? {}) : null)
  }

  /** A failed reply still tells what came of it, and its usage. */
  private turn(reply: Members, text: string, failure: ErrorReply | null): void {
    this.to.start(headOf(reply))
    const source = new ElementSource(text, 'output')
    const feed = new ItemFeed(this.to, this.context)
    for (const [place, item] of listOf(reply['output']).entries()) {
      const members = membersOf(item)
      if (members !== null && !feed.whole(members, () => source.at(place))) {
        this.to.fail(brokenReply(NAMELESS))
        return
      }
    }
    const usage = readUsage(reply['usage'])
    if (failure === null) this.to.finish(0, finishOf(reply, feed.called, feed.refused))
    if (usage !== null) this.to.usage(usage)
    if (failure === null) this.to.end()
    else this.to.fail(failure)
  }
}

export class ResponsesReplyWriter extends ItemWriter {
  override end(): void {
    const { status, reason } = this.ending
    const error = status === 'failed' ? failureJson(this.malformed()) : 'null'
    this.out.text(this.response(status, error, status === 'incomplete' ? reason : undefined))
  }

  override fail(error: ErrorReply): void {
    this.out.text(errorJson(error))
  }
}
