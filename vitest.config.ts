import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.prop.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
    // The gate's machine is not ours alone. A test that needs its second try is named at the gate's end: mend it.
    retry: process.env.CI === undefined ? 0 : 1,
  },
})
