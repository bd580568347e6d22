import { readFile } from 'node:fs/promises'
import { definePrompt, defineTool } from 'lllm'
import { z } from 'zod'

const orders = new URL('../orders.json', import.meta.url)

export const findOrder = defineTool({
  name: 'find_order',
  description: 'Finds an order by its number: its state and when it was sent.',
  args: z.object({ number: z.string().describe('Such as A-17.') }),
  async run({ number }, { signal }) {
    const known = JSON.parse(await readFile(orders, { encoding: 'utf8', signal }))
    return known[number] ?? `There is no order ${number}. Ask the customer for the number.`
  },
})

export const support = definePrompt({
  template: 'You help customers with their orders. Look an order up before you speak of it.',
  tools: [findOrder],
})

export const strictSupport = support.extend({
  template: 'You help customers with their orders, in at most two sentences.',
  handlers: { finalInterrupt: 'Answer now, with what you have found.' },
})
