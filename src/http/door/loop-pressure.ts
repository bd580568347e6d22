import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { LllmError } from '../../domain/errors.ts'
import type { DoorSettings } from './door-settings.ts'

/** Over which the delay is averaged: a single task that takes long is no pressure. */
const sampleIntervalMs = 1_000

/**
 * Refuses requests while the event loop is late, other than probes: to tell some of them so at once costs little, and those that are
 * under way get an end.
 */
export async function refuseUnderPressure(
  server: FastifyInstance,
  { loopDelayMaxMs = 0 }: DoorSettings,
  sampleInterval: number = sampleIntervalMs,
): Promise<void> {
  if (loopDelayMaxMs === 0) return
  await server.register(underPressure, {
    maxEventLoopDelay: loopDelayMaxMs,
    sampleInterval,
    pressureHandler({ routeOptions }) {
      if (routeOptions.config.isProbe === true) return
      return Promise.reject(
        new LllmError('overloaded', 'The service is late with everything; it takes nothing more on.'),
      )
    },
  })
}
