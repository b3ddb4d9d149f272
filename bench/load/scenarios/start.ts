// Starting: the one scenario that the orchestrator carries out itself, because only it starts peers.

import type { Scenario } from './scenario.ts'

export const start: Scenario = {
  name: 'start',
  title: 'start',
  columns: [
    { key: 'readyMs', title: 'first good answer after', unit: 'ms', digits: 0, ratioTo: null },
    { key: 'rssIdleMb', title: 'RSS idle', unit: 'MB', digits: 0, ratioTo: null },
  ],
  run: async () => {
    throw new Error('the generator does not start peers')
  },
}
