import type { Reply } from './domain/agent.ts'
import { LllmError } from './domain/errors.ts'
import type { JsonObject } from './domain/json.ts'
import type { ConfigSource } from './domain/package.ts'
import { Tactic, type TacticClass } from './domain/tactic.ts'
import type { CallOptions } from './engine/engine.ts'
import type { CallReport, TacticHandle } from './engine/handle.ts'

export interface ChatSetup extends CallOptions {
  /** Default: "You are a helpful assistant." */
  readonly systemPrompt?: string
  /** The model's name, as its provider knows it. */
  readonly model: string
  readonly modelArgs?: JsonObject
}

/** A conversation with one agent, without declaring a tactic. It is one session, stored when it is closed. */
export interface Chat {
  /** Says something and waits for the reply. A failed turn rejects, and the chat goes on. Turns follow one another. */
  send(text: string): Promise<Reply<unknown>>
  /** Ends the chat and gives its session. */
  close(): Promise<CallReport<string>>
}

interface Letter {
  readonly text: string
  readonly resolve: (reply: Reply<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** Messages that may wait for the turns before them to end. */
const lettersMax = 1_000

/** Letters in order, for one reader. */
class Mailbox {
  readonly #letters: Letter[] = []
  #isClosed = false
  #wake = () => {}

  put(letter: Letter) {
    if (this.#isClosed) return letter.reject(new LllmError('dialog-misuse', 'The chat has been closed.'))
    if (this.#letters.length >= lettersMax) {
      return letter.reject(new LllmError('dialog-misuse', `${lettersMax} messages wait already: await the replies.`))
    }
    this.#letters.push(letter)
    this.#wake()
  }

  close() {
    this.#isClosed = true
    this.#wake()
  }

  async *read(): AsyncGenerator<Letter> {
    for (;;) {
      const letter = this.#letters.shift()
      if (letter !== undefined) yield letter
      else if (this.#isClosed) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** Opens a chat: a tactic of one agent whose call lasts until the chat is closed. */
export function openChat(build: (tactic: TacticClass, config: ConfigSource) => TacticHandle, setup: ChatSetup): Chat {
  const { systemPrompt = 'You are a helpful assistant.', model, modelArgs = {}, ...options } = setup
  const mailbox = new Mailbox()

  class Quick extends Tactic({ name: 'quick', agents: ['assistant'] }) {
    async call(_task: string) {
      const { assistant } = this.agents
      assistant.open('chat')
      let last = ''
      for await (const { text, resolve, reject } of mailbox.read()) {
        try {
          const reply = await assistant.receive(text).respond()
          last = reply.content
          resolve(reply)
        } catch (error) {
          reject(error)
        }
      }
      return last
    }
  }

  const agent = { name: 'assistant', system_prompt: systemPrompt.replaceAll('{', '{{').replaceAll('}', '}}') }
  const value = { global: { model_name: model, model_args: modelArgs }, agent_configs: [agent] }
  const running = build(Quick, { name: 'quick', file: 'quick', value }).session('', options)
  // However the call ends, nobody waits for a reply that will not come.
  void running.then(() => mailbox.close())
  return {
    send: (text) => new Promise((resolve, reject) => mailbox.put({ text, resolve, reject })),
    async close() {
      mailbox.close()
      return (await running) as CallReport<string>
    },
  }
}
