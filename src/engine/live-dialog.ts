import { appendMessages, type Dialog } from '../domain/dialog.ts'
import type { Message } from '../domain/message.ts'
import type { AnyPrompt } from '../domain/prompt.ts'

/** A dialog while its call lasts. */
export class LiveDialog {
  #current: Dialog
  /** Real tokens per estimated token, as the provider counted the last time. */
  tokenScale: number
  /** Whether a `respond()` is under way: until it is over, nobody else may change or copy the dialog. */
  isBusy = false

  constructor(dialog: Dialog, tokenScale = 1) {
    this.#current = dialog
    this.tokenScale = tokenScale
  }

  get current(): Dialog {
    return this.#current
  }
  get messages(): readonly Message[] {
    return this.#current.messages
  }

  append(...messages: readonly Message[]): void {
    this.#current = appendMessages(this.#current, ...messages)
  }

  /** Begins or continues a turn of the user, governed by a prompt, or by the system prompt. */
  receive(message: Message, turnPrompt: AnyPrompt | undefined): void {
    this.#current = { ...appendMessages(this.#current, message), turnPrompt }
  }

  /** The prompt of a turn that has been received and not yet been answered. */
  get unansweredPrompt(): AnyPrompt | undefined {
    return this.messages.at(-1)?.role === 'user' ? this.#current.turnPrompt : undefined
  }
}
