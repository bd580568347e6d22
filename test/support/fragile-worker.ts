// A worker for tests of the link: it answers, fails and dies as it is told.
import { parentPort, workerData } from 'node:worker_threads'
import type { WorkerRequest } from '../../src/stores/worker-link.ts'
import type { FragilePort } from './fragile-port.ts'

parentPort?.on('message', ({ call, method, args }: WorkerRequest<FragilePort>) => {
  if (method === 'die') process.exit(3)
  if (method === 'hang') return
  const failure = { message: 'It failed. Try another value.', cause: new Error('the inner reason') }
  parentPort?.postMessage(method === 'fail' ? { call, failure } : { call, value: { args, workerData } })
})
