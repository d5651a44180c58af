import { defineConfig } from 'vitest/config'
import full from './vitest.full.config.ts'

/**
 * The Kubernetes cases against a real control plane: KUBECONFIG names one that may be thrown away, with rights to
 * everything, whose nodes play pods by the tag of their image as the stand-in's do (`app:1.0-crashloop`).
 */
export default defineConfig({
  test: {
    ...full.test,
    include: ['packages/*/test/**/*.cluster.test.ts'],
    fileParallelism: false, // one cluster, of which each file knows everything
    hookTimeout: 600_000,
    reporters: ['default'],
  },
})
