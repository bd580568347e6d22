import type { ProviderPrices } from '../../support/scripted-provider.ts'

/** What a call is told to do: ask some agents, one after the other, call those below, then perhaps throw. */
export interface Plan {
  readonly asks: readonly ('thrifty' | 'lavish' | 'unpriced')[]
  readonly below: readonly Plan[]
  /** What is below is called in a batch, or all at once. */
  readonly inBatch: boolean
  readonly throws: boolean
}

/** The provider's own prices, in whole pico-USD a token. The model `mystery` is on no list. */
export const providerPrices: ProviderPrices = {
  'thrifty-1': { promptPicoPerToken: 150_000, cachedPicoPerToken: 75_000, completionPicoPerToken: 600_000 },
  'lavish-1': { promptPicoPerToken: 2_500_001, cachedPicoPerToken: 333_333, completionPicoPerToken: 10_000_007 },
}

/** The same prices in the words of LLLM_PRICES: USD for a million tokens. */
const priceFile = JSON.stringify(
  Object.fromEntries(
    Object.entries(providerPrices).map(([model, price]) => [
      model,
      {
        input_per_mtok: price.promptPicoPerToken / 1e6,
        cached_input_per_mtok: price.cachedPicoPerToken / 1e6,
        output_per_mtok: price.completionPicoPerToken / 1e6,
      },
    ]),
  ),
)

const shared = `import { Tactic } from 'lllm'
import { z } from 'zod'

const plan = z.object({
  asks: z.array(z.enum(['thrifty', 'lavish', 'unpriced'])),
  get below() { return z.array(plan) },
  inBatch: z.boolean(),
  throws: z.boolean(),
})

export class Spending extends Tactic({ agents: ['thrifty', 'lavish', 'unpriced'], input: plan }) {
  async call({ asks, below, inBatch, throws }) {
    const sub = this.tactics.below
    if (sub !== undefined && inBatch) await sub.batch(below)
    if (sub !== undefined && !inBatch) await Promise.allSettled(below.map((task) => sub(task)))
    for (const [index, agent] of asks.entries()) {
      const asked = this.agents[agent].open(String(index)).receive('go').respond()
      await (throws ? asked : asked.catch(() => {}))
    }
    if (throws) throw new Error('thrown on purpose')
    return 'done'
  }
}
`

function level(name: string, below?: string) {
  const imported = below === undefined ? '' : `import Below from './${below}.ts'\n`
  const tactics = below === undefined ? '' : ', tactics: { below: Below }'
  return `import { Spending } from './_spending.ts'
${imported}export default class extends Spending.extend({ name: '${name}'${tactics} }) {}
`
}

const prompt = `import { definePrompt, defineTool } from 'lllm'
import { z } from 'zod'
const add = defineTool({
  name: 'add',
  description: 'Adds.',
  args: z.object({ left: z.number(), right: z.number() }),
  run: ({ left, right }) => left + right,
})
export default definePrompt({ template: 'You help.', tools: [add] })
`

const agents = `global:
  system_prompt_path: helper
  max_exception_retry: 1
  max_llm_recall: 1
  max_interrupt_steps: 2
agent_configs:
  - { name: thrifty, model_name: thrifty-1 }
  - { name: lavish, model_name: lavish-1, api_type: response }
  - { name: unpriced, model_name: mystery }
`

/** A package of three tactics, one above the other, that spend money as they are told. */
export const spendingPackage: Readonly<Record<string, string>> = {
  'prices.yaml': priceFile,
  'prompts/helper.ts': prompt,
  'tactics/_spending.ts': shared,
  'tactics/top.ts': level('top', 'middle'),
  'tactics/middle.ts': level('middle', 'bottom'),
  'tactics/bottom.ts': level('bottom'),
  'configs/top.yaml': agents,
  'configs/middle.yaml': agents,
  'configs/bottom.yaml': agents,
}
