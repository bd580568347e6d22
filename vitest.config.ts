import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// vitest does not see module hooks: what the loader does for the package's own name is said again here.
const alias = Object.entries({ lllm: 'index', 'lllm/testing': 'testing', 'lllm/client': 'client' }).map(
  ([name, entry]) => ({
    find: new RegExp(`^${name}$`),
    replacement: fileURLToPath(new URL(`./src/${entry}.ts`, import.meta.url)),
  }),
)

/**
 * Processes that are killed, frozen, or cut off from their disk or database, and providers that refuse for long: they start many processes, or
 * wait, and are a matter of `npm run check:faults`.
 */
const faults = [
  'test/e2e/manners.test.ts',
  'test/e2e/killed.test.ts',
  'test/e2e/postgres.test.ts',
  'test/e2e/replicas.test.ts',
  'test/e2e/idempotency-replicas.test.ts',
  'test/e2e/run-survival.test.ts',
  'test/stores/postgres-outages.test.ts',
  'test/e2e/backup.test.ts',
  'test/e2e/full-disk.test.ts',
  'test/e2e/read-only-disk.test.ts',
]

/** These weigh the memory of their process, in which nobody else may leave anything. */
const alone = ['test/e2e/hang-up.test.ts', 'test/http/stream-readers.test.ts', 'test/packages/hostile-files.test.ts']

/** Packs, installs and serves what is published, which is a matter of `npm run check:package`. */
const published = ['test/e2e/published.test.ts']

/** They need a browser, and take long to draw a page: a matter of `npm run check:browser`. */
const browser = ['test/e2e/docs-browser.test.ts', 'test/e2e/page-browser.test.ts']

export default defineConfig({
  resolve: { alias },
  test: {
    pool: 'threads',
    // Some files mostly wait, for a provider that wants to be left alone or a lock: others use the core meanwhile.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 20_000,
    // For the processes that tests start: stripping the types of their modules takes longer than running most of them.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    projects: [
      { extends: true, test: { name: 'house', include: ['test/house/**/*.test.ts'] } },
      // Files share the modules of their worker: loading them for each file anew would take a third of the time.
      {
        extends: true,
        test: {
          name: 'behaviour',
          include: ['test/**/*.test.ts'],
          exclude: ['test/house/**', ...alone, ...published, ...browser, ...faults],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'memory', include: [...alone] } },
      { extends: true, test: { name: 'published', include: [...published] } },
      { extends: true, test: { name: 'faults', include: [...faults] } },
      { extends: true, test: { name: 'browser', include: [...browser] } },
    ],
  },
})
