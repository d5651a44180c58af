import { defineConfig } from 'vitest/config'

/** The short run. What takes long is named `*.full.test.ts`: random kills, gigabytes, payloads against their back-ends. */
export default defineConfig({
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'dotcodex/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.full.test.ts', '**/*.cluster.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes late on a busy machine, and still comes.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    allowOnly: false,
    passWithNoTests: false,
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/tests/short.json' }]],
  },
})
