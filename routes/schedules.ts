import type { FastifyInstance } from 'fastify'
import { houseOf } from '../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../src/http/openapi/operation.ts'
import { toScheduleList } from '../src/http/schedule-answer.ts'

const operation: Operation = {
  operationId: 'listSchedules',
  access: 'sessions:read',
  summary: 'What is run at which times, and what came of it last',
  tags: ['Runs'],
  responses: { 200: jsonResponse('The schedules, in the order of their file.', componentRef('ScheduleList')) },
  errors: ['store-unavailable'],
}

export default async function schedules(server: FastifyInstance) {
  server.get('/schedules', { config: { operation } }, async (request) =>
    toScheduleList(await houseOf(request).schedules.list()),
  )
}
