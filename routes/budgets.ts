import type { FastifyInstance } from 'fastify'
import { callerOf } from '../src/http/access.ts'
import { toBudgetList } from '../src/http/budget-answer.ts'
import { componentRef, jsonResponse, type Operation } from '../src/http/openapi/operation.ts'

const operation: Operation = {
  operationId: 'listBudgets',
  access: 'costs:read',
  summary: 'How much is left of the standing budgets',
  tags: ['Costs'],
  responses: { 200: jsonResponse('The budgets, in the order of the settings.', componentRef('BudgetList')) },
}

export default async function budgets(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('/budgets', { config: { operation } }, async (request) => {
    return toBudgetList(engine.budgets(), callerOf(request).tenant)
  })
}
