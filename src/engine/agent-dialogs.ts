import type { ForkOptions } from '../domain/agent.ts'
import { forkDialog, openDialog } from '../domain/dialog.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import { LiveDialog } from './live-dialog.ts'

/** The dialogs of one agent, by their aliases; one of them may be active. All misuse is told with what is open. */
export class AgentDialogs {
  readonly #agent: string
  readonly #dialogs = new Map<string, LiveDialog>()
  #active: string | undefined

  constructor(agent: string) {
    this.#agent = agent
  }

  get activeAlias(): string | undefined {
    return this.#active
  }
  get aliases(): readonly string[] {
    return [...this.#dialogs.keys()]
  }

  get active(): LiveDialog {
    if (this.#active !== undefined) return this.#find(this.#active)
    throw misuse(`The agent "${this.#agent}" has no active dialog: open(alias) or switch(alias) first.`)
  }

  /** The active dialog, for whoever is about to change it. */
  get idle(): LiveDialog {
    const dialog = this.active
    this.#refuseBusy(dialog)
    return dialog
  }

  /** The prompt is rendered only for an alias that is free. */
  open(alias: string, renderPrompt: () => string): void {
    this.#refuseUsed(alias)
    this.#keep(alias, new LiveDialog(openDialog(alias, renderPrompt())))
  }

  switch(alias: string): void {
    this.#find(alias)
    this.#active = alias
  }

  close(alias: string = this.active.current.alias): void {
    this.#find(alias)
    this.#dialogs.delete(alias)
    if (this.#active === alias) this.#active = undefined
  }

  fork(alias: string, childAlias: string, options: ForkOptions = {}): void {
    this.#refuseUsed(childAlias)
    const parent = this.#find(alias)
    this.#refuseBusy(parent)
    const { lastN = 0, firstK = 0 } = options
    if (![lastN, firstK].every((count) => Number.isInteger(count) && count >= 0)) {
      throw misuse(`fork("${alias}", "${childAlias}"): lastN and firstK are whole numbers from 0.`)
    }
    this.#keep(childAlias, new LiveDialog(forkDialog(parent.current, childAlias, options), parent.tokenScale))
  }

  #keep(alias: string, dialog: LiveDialog) {
    this.#dialogs.set(alias, dialog)
    this.#active = alias
  }

  #find(alias: string): LiveDialog {
    const dialog = this.#dialogs.get(alias)
    if (dialog !== undefined) return dialog
    throw misuse(`The agent "${this.#agent}" has no dialog "${alias}". ${listKnown(alias, this.aliases)}`)
  }

  #refuseBusy({ isBusy, current }: LiveDialog) {
    if (!isBusy) return
    throw misuse(`The dialog "${current.alias}" of the agent "${this.#agent}" is still responding: await that first.`)
  }

  #refuseUsed(alias: string) {
    if (!this.#dialogs.has(alias)) return
    const remedy = 'switch to it, fork it, or close it first'
    throw misuse(`The agent "${this.#agent}" already has a dialog "${alias}": ${remedy}.`)
  }
}

function misuse(message: string) {
  return new LllmError('dialog-misuse', message)
}
