import { defineConfig } from 'vitest/config'
import short from './vitest.config.ts'

/** The long run: random kills, gigabytes, packed tarballs, every payload against its back-end. */
export default defineConfig({
  test: {
    ...short.test,
    include: ['{packages,apps}/*/test/**/*.full.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 600_000,
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/tests/full.json' }]],
  },
})
