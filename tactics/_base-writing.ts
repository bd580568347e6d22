import { Tactic } from 'lllm'

/**
 * Shared by tactics that write. It has no name, so nobody can call it, and the underscore keeps its file from being loaded
 * as a tactic.
 */
export abstract class BaseWritingTactic extends Tactic({ agents: ['writer'] }) {
  protected async polish(text: string): Promise<string> {
    const { writer } = this.agents

    writer.open('polish')
    writer.receive(`Polish this:\n\n${text}`)
    return (await writer.respond()).content
  }
}
