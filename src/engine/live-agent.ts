import type { Agent, AgentPlan, ForkOptions, Reply } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import { forkDialog, openDialog } from '../domain/dialog.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { ImagePart, Part } from '../domain/message.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import type { Schema, SchemaOutput } from '../domain/schema.ts'
import { stopError } from '../domain/stop.ts'
import type { PromptArgs } from '../domain/template.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import { type Contract, contractOf, jsonContract } from './contract.ts'
import { toImagePart } from './image-part.ts'
import { LiveDialog } from './live-dialog.ts'
import type { AgentCallRecorder, SessionRecorder } from './session-recorder.ts'
import { openToolbox } from './toolbox.ts'
import { runTurn } from './turn.ts'
import { untilAborted } from './until-aborted.ts'

/** What a live agent is given for its one call. */
export interface AgentParts {
  readonly plan: AgentPlan
  readonly world: World
  readonly prices: PriceBook
  readonly toolSource: ToolSource
  readonly recorder: SessionRecorder
  readonly signal: AbortSignal
  readonly deadlineAtMs: number
  findPrompt(path: string): AnyPrompt
  /** Does work that whoever closes the session waits for. Once the call has been stopped, nothing is begun any more. */
  begin<Value>(work: () => Promise<Value>): Promise<Value>
}

/** An agent of one call. Its dialogs are its only state. */
export class LiveAgent implements Agent {
  readonly #parts: AgentParts
  readonly #dialogs = new Map<string, LiveDialog>()
  #active: string | undefined

  constructor(parts: AgentParts) {
    this.#parts = parts
  }

  get name() {
    return this.#parts.plan.name
  }
  get active() {
    return this.#active
  }
  get aliases() {
    return [...this.#dialogs.keys()]
  }
  get messages() {
    return this.#activeDialog().messages
  }

  open(alias: string, promptArgs?: PromptArgs): this {
    this.#refuseUsed(alias)
    this.#keep(alias, new LiveDialog(openDialog(alias, this.#parts.plan.systemPrompt.render(promptArgs ?? {}))))
    return this
  }

  switch(alias: string): this {
    this.#find(alias)
    this.#active = alias
    return this
  }

  close(alias?: string): this {
    const closed = alias ?? this.#activeDialog().current.alias
    this.#find(closed)
    this.#dialogs.delete(closed)
    if (this.#active === closed) this.#active = undefined
    return this
  }

  fork(alias: string, childAlias: string, options?: ForkOptions): this {
    this.#refuseUsed(childAlias)
    const parent = this.#find(alias)
    this.#refuseBusy(parent)
    const { lastN = 0, firstK = 0 } = options ?? {}
    if (![lastN, firstK].every((count) => Number.isInteger(count) && count >= 0)) {
      throw misuse(`fork("${alias}", "${childAlias}"): lastN and firstK are whole numbers from 0.`)
    }
    this.#keep(childAlias, new LiveDialog(forkDialog(parent.current, childAlias, options), parent.tokenScale))
    return this
  }

  receive(text: string, from: { readonly name?: string } = {}): this {
    this.#idleDialog().receive({ role: 'user', content: text, ...from }, undefined)
    return this
  }

  receivePrompt(prompt: AnyPrompt | string, args: PromptArgs = {}): Agent<never> {
    const found = typeof prompt === 'string' ? this.#parts.findPrompt(prompt) : prompt
    this.#idleDialog().receive({ role: 'user', content: found.render(args) }, found)
    return this as Agent<never>
  }

  receiveImage(image: Omit<ImagePart, 'type'>, caption?: string): this {
    const parts: Part[] = caption === undefined ? [] : [{ type: 'text', text: caption }]
    const dialog = this.#idleDialog()
    // An image says nothing of how to reply: shown beside a prompt, it is a part of that prompt's turn.
    dialog.receive({ role: 'user', content: [...parts, toImagePart(image)] }, dialog.unansweredPrompt)
    return this
  }

  async respond(): Promise<Reply<never>> {
    const dialog = this.#activeDialog()
    const prompt = dialog.current.turnPrompt ?? this.#parts.plan.systemPrompt
    return (await this.#respond(dialog, contractOf(prompt))) as Reply<never>
  }

  async respondAs<S extends Schema>(schema: S): Promise<SchemaOutput<S>> {
    const reply = await this.#respond(this.#activeDialog(), jsonContract(schema))
    return reply.parsed as SchemaOutput<S>
  }

  #respond(dialog: LiveDialog, contract: Contract): Promise<Reply<unknown>> {
    this.#refuseBusy(dialog)
    return this.#parts.begin(() => this.#recordTurn(dialog, contract))
  }

  async #recordTurn(dialog: LiveDialog, contract: Contract): Promise<Reply<unknown>> {
    const { plan, world, signal } = this.#parts
    dialog.isBusy = true
    const recorder = this.#parts.recorder.openAgentCall({
      id: world.newId(),
      agent: plan.name,
      dialog: dialog.current.alias,
      startedAtMs: world.clock.now(),
    })
    try {
      const delivery = await this.#runTurn(dialog, contract, recorder)
      const { cost } = recorder.close('success', delivery.message, world.clock.now())
      return { ...delivery, cost }
    } catch (error) {
      recorder.close(signal.aborted ? 'cancelled' : 'failure', null, world.clock.now())
      throw signal.aborted ? stopError(signal) : error
    } finally {
      dialog.isBusy = false
    }
  }

  async #runTurn(dialog: LiveDialog, contract: Contract, recorder: AgentCallRecorder) {
    const { plan, world, prices, signal, deadlineAtMs } = this.#parts
    const prompt = dialog.current.turnPrompt ?? plan.systemPrompt
    const { handlers } = prompt
    const tools = await this.#toolsOf(prompt)
    const toolbox = openToolbox({ tools, world, recorder, signal, interrupt: handlers.interrupt })
    return await runTurn({ plan, world, prices, recorder, signal, deadlineAtMs, contract, toolbox, handlers, dialog })
  }

  async #toolsOf({ tools, mcpServers }: AnyPrompt) {
    if (mcpServers.length === 0) return tools
    const { toolSource, signal } = this.#parts
    const fetchAll = () => Promise.all(mcpServers.map((server) => toolSource.tools(server, signal)))
    const served = await untilAborted(fetchAll, signal)
    // Of two tools with one name the last counts: a server cannot put its own in the place of the prompt's.
    return [...served.flat(), ...tools]
  }

  #keep(alias: string, dialog: LiveDialog) {
    this.#dialogs.set(alias, dialog)
    this.#active = alias
  }

  /** The active dialog, for a change of it. */
  #idleDialog(): LiveDialog {
    const dialog = this.#activeDialog()
    this.#refuseBusy(dialog)
    return dialog
  }

  #activeDialog(): LiveDialog {
    if (this.#active !== undefined) return this.#find(this.#active)
    throw misuse(`The agent "${this.name}" has no active dialog: open(alias) or switch(alias) first.`)
  }

  #find(alias: string): LiveDialog {
    const dialog = this.#dialogs.get(alias)
    if (dialog !== undefined) return dialog
    throw misuse(`The agent "${this.name}" has no dialog "${alias}". ${listKnown(alias, this.aliases)}`)
  }

  #refuseBusy({ isBusy, current }: LiveDialog) {
    if (!isBusy) return
    throw misuse(`The dialog "${current.alias}" of the agent "${this.name}" is still responding: await that first.`)
  }

  #refuseUsed(alias: string) {
    if (!this.#dialogs.has(alias)) return
    throw misuse(`The agent "${this.name}" already has a dialog "${alias}": switch to it, fork it, or close it first.`)
  }
}

function misuse(message: string) {
  return new LllmError('dialog-misuse', message)
}
