import fastify, { type FastifyPluginAsync } from 'fastify'
import { createServer, lllmPlugin, loadRuntime, type Runtime } from 'lllm'

export async function serve(folder: string, port: number) {
  // #region server
  const runtime = await loadRuntime({ folder }) // the folder with lllm.toml; settings come from the environment
  const server = await createServer(runtime, { timeoutMs: 30_000, callsMax: 50 })
  const url = await server.listen({ port })
  // #endregion
  return {
    url,
    async end() {
      // #region end
      await server.close() // calls under way are given LLLM_GRACE_MS to end
      await runtime.close() // after their sessions are stored
      // #endregion
    },
  }
}

export async function embed(folder: string) {
  // #region embed
  const runtime = await loadRuntime({ folder })
  const app = fastify()
  app.addHook('onClose', () => runtime.close())
  app.get('/orders', async () => ['one', 'two'])

  await app.register(lllmPlugin, { runtime, prefix: '/ai' })
  // #endregion
  return app
}

export async function guard(runtime: Runtime, token: string) {
  const app = fastify()
  // #region guard
  const guarded: FastifyPluginAsync = async (scope) => {
    scope.addHook('onRequest', async ({ headers }) => {
      if (headers.authorization === `Bearer ${token}`) return
      throw Object.assign(new Error('Give the token.'), { statusCode: 401 })
    })
    await scope.register(lllmPlugin, { runtime })
  }
  await app.register(guarded, { prefix: '/ai' })
  // #endregion
  return app
}

export async function embedTwo() {
  const app = fastify()
  // #region two
  const runtimes = {
    '/public': await loadRuntime({ folder: 'examples/first', env: { LLLM_DATABASE: ':memory:' } }),
    '/internal': await loadRuntime({ folder: 'examples/authoring', env: { LLLM_DATABASE: ':memory:' } }),
  }
  for (const [prefix, runtime] of Object.entries(runtimes)) {
    await app.register(lllmPlugin, { runtime, prefix })
    app.addHook('onClose', () => runtime.close())
  }
  // #endregion
  return app
}
