// A worker for tests of the link: it answers, fails and dies as it is told.
import { workerData } from 'node:worker_threads'
import type { WorkerRequest, WorkerStart } from '../../src/stores/worker-link.ts'
import type { FragilePort } from './fragile-port.ts'

const { port, data } = workerData as WorkerStart<unknown>

port.on('message', ({ call, method, args }: WorkerRequest<FragilePort>) => {
  if (method === 'die') process.exit(3)
  if (method === 'hang') return
  const failure = { message: 'It failed. Try another value.', cause: new Error('the inner reason') }
  port.postMessage(method === 'fail' ? { call, failure } : { call, value: { args, data } })
})
