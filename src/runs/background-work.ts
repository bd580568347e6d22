/** What goes on in a process beside its work on runs, for as long as it works on them. */
export interface BackgroundWork {
  /** Begins. Calling it twice is fine. */
  start(): void
  /** Begins nothing more, and gives what is under way `graceMs` to end. Never rejects, and calling it twice is fine. */
  close(graceMs: number): Promise<void>
}
