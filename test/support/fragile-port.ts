export interface FragilePort {
  echo(...values: readonly unknown[]): Promise<unknown>
  fail(): Promise<never>
  /** Is never answered. */
  hang(): Promise<never>
  /** Ends the thread without an answer. */
  die(): Promise<never>
}
