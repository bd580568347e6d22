import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// vitest does not see module hooks: what the loader does for the package's own name is said again here.
const alias = Object.entries({ lllm: 'index', 'lllm/testing': 'testing', 'lllm/client': 'client' }).map(
  ([name, entry]) => ({
    find: new RegExp(`^${name}$`),
    replacement: fileURLToPath(new URL(`./src/${entry}.ts`, import.meta.url)),
  }),
)

export default defineConfig({
  resolve: { alias },
  test: {
    pool: 'threads',
    maxWorkers: '100%',
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'house', include: ['test/house/**/*.test.ts'] } },
      { extends: true, test: { name: 'behaviour', include: ['test/**/*.test.ts'], exclude: ['test/house/**'] } },
    ],
  },
})
