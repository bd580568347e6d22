import type { Tool } from './tool.ts'

/**
 * Tools that somebody else provides: the MCP servers of the operator's settings.
 *
 * `tools` connects on first use and keeps the connection for all calls. It rejects with an LllmError `provider-failed`
 * when the server cannot be reached or answers nonsense; the next call tries again.
 */
export interface ToolSource {
  /** The names that prompts may use. */
  readonly servers: readonly string[]
  tools(server: string, signal: AbortSignal): Promise<readonly Tool[]>
  close(): Promise<void>
}
