/** How a process works on runs. Durations are in ms. */
export interface DispatcherSettings {
  /** Runs that this process has under way at once, 1..1000. 0: it works on none. */
  readonly workers: number
  /** Runs that may be under way at once over all processes, 1 or more. */
  readonly concurrencyMax: number
  /** Starts of one run, 1 or more. A run that has ended the process each time is not started again. */
  readonly attemptsMax: number
}

/** How often a process says that it is alive. */
export const beatEveryMs = 1_000
/** Whoever has been silent for this long is taken for dead. */
export const leaseMs = 5_000
/** How often a process looks for work of which nobody has told it. */
export const pollEveryMs = 1_000
