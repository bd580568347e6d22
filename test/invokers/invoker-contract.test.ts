import type { ApiType } from '../../src/domain/invoker.ts'
import { createOpenAiInvoker } from '../../src/invokers/openai-invoker.ts'
import { createSimulatedInvoker } from '../../src/invokers/simulated-invoker.ts'
import { invokerContract } from '../contracts/invoker.ts'
import { callsTool, json, type ProviderRequest, says, startProvider } from '../support/scripted-provider.ts'

function reply({ toolNames, messages, body }: ProviderRequest) {
  const hasResult = messages.some(({ role, type }) => role === 'tool' || type === 'function_call_output')
  if (toolNames.length > 0 && !hasResult) return callsTool('add', { left: 1, right: 2 })
  const asksForJson = 'response_format' in body || 'text' in body
  return asksForJson ? json({ name: 'Ada', age: 36 }) : says('The Rhine.')
}

async function openOpenAi() {
  const provider = await startProvider(reply)
  const invoker = createOpenAiInvoker({ name: 'openai', baseUrl: provider.url, apiKey: 'key-of-the-test' })
  return { invoker, close: () => provider.close() }
}

const apiTypes: readonly ApiType[] = ['completion', 'response']
for (const apiType of apiTypes) invokerContract(`openai (${apiType})`, apiType, openOpenAi)

invokerContract('simulated', 'completion', async () => ({ invoker: createSimulatedInvoker(), close: async () => {} }))
