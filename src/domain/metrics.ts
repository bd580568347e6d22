import type { Observe } from './observation.ts'

/** What is counted and measured in a process, for a monitoring system that comes to read it. */
export interface Metrics {
  readonly observe: Observe
  /** The media type of what {@link Metrics.read} gives. */
  readonly mediaType: string
  /** Begins to measure the process itself: memory, garbage collection, the event loop. Calling it twice is fine. */
  start(): void
  /**
   * The figures as they are now, in the text format of Prometheus. What a failing store would have to tell is left out. It
   * never rejects, and whoever asks while others do is given the same text.
   */
  read(): Promise<string>
}
