// The load generator, a process of its own. Takes one job at a time from the orchestrator and answers with its figures.

import { type Job, type JobResult, scenarioNamed } from './scenarios/index.ts'

export type GeneratorReply =
  | ({ readonly kind: 'done' } & JobResult)
  | { readonly kind: 'failed'; readonly message: string }

process.on('message', (job: Job) => {
  const scenario = scenarioNamed(job.scenario)
  const send = (reply: GeneratorReply): void => void process.send?.(reply)
  if (scenario === null) {
    send({ kind: 'failed', message: `no scenario named ${job.scenario}` })
    return
  }
  const startMs = performance.now()
  const before = process.cpuUsage()
  scenario.run(job).then(
    result => {
      const { user, system } = process.cpuUsage(before)
      // Near 1 the generator was the bottleneck and requests/s say little about the peer; CPU per request still does.
      const generatorBusy = (user + system) / 1000 / (performance.now() - startMs)
      send({ kind: 'done', ...result, measures: { ...result.measures, generatorBusy } })
    },
    error =>
      send({
        kind: 'failed',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  )
})
process.on('disconnect', () => process.exit(0))
