import type { Agent, ForkOptions, Reply } from '../domain/agent.ts'
import type { ImagePart, Part } from '../domain/message.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import { quietly } from '../domain/quietly.ts'
import type { Schema, SchemaOutput } from '../domain/schema.ts'
import { stopError } from '../domain/stop.ts'
import type { PromptArgs } from '../domain/template.ts'
import type { Tool } from '../domain/tool.ts'
import type { Span } from '../domain/tracing.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import { AgentDialogs } from './agent-dialogs.ts'
import { AgentObserver } from './agent-observer.ts'
import type { AgentParts } from './agent-parts.ts'
import { type AgentAnnouncer, announceAgent } from './announce.ts'
import { endAgentCall, startAgentCall } from './call-spans.ts'
import { type Contract, contractOf, jsonContract } from './contract.ts'
import { toImagePart } from './image-part.ts'
import type { LiveDialog } from './live-dialog.ts'
import type { AgentCallRecorder } from './session-recorder.ts'
import { openToolbox } from './toolbox.ts'
import { runTurn, type Turn } from './turn.ts'

interface TurnParts {
  readonly tools: readonly Tool[]
  readonly contract: Contract
  readonly recorder: AgentCallRecorder
  readonly announcer: AgentAnnouncer | undefined
  readonly span: Span
}

/** An agent of one call. Its dialogs are its only state. */
export class LiveAgent implements Agent {
  readonly #parts: AgentParts
  readonly #dialogs: AgentDialogs

  constructor(parts: AgentParts) {
    this.#parts = parts
    this.#dialogs = new AgentDialogs(parts.plan.name)
  }

  get name() {
    return this.#parts.plan.name
  }
  get active() {
    return this.#dialogs.activeAlias
  }
  get aliases() {
    return this.#dialogs.aliases
  }
  get messages() {
    return this.#dialogs.active.messages
  }

  open(alias: string, promptArgs: PromptArgs = {}): this {
    this.#dialogs.open(alias, () => this.#parts.plan.systemPrompt.render(promptArgs))
    return this
  }

  switch(alias: string): this {
    this.#dialogs.switch(alias)
    return this
  }

  close(alias?: string): this {
    this.#dialogs.close(alias)
    return this
  }

  fork(alias: string, childAlias: string, options?: ForkOptions): this {
    this.#dialogs.fork(alias, childAlias, options)
    return this
  }

  receive(text: string, from: { readonly name?: string } = {}): this {
    this.#dialogs.idle.receive({ role: 'user', content: text, ...from }, undefined)
    return this
  }

  receivePrompt(prompt: AnyPrompt | string, args: PromptArgs = {}): Agent<never> {
    const found = typeof prompt === 'string' ? this.#parts.findPrompt(prompt) : prompt
    this.#dialogs.idle.receive({ role: 'user', content: found.render(args) }, found)
    return this as Agent<never>
  }

  receiveImage(image: Omit<ImagePart, 'type'>, caption?: string): this {
    const parts: Part[] = caption === undefined ? [] : [{ type: 'text', text: caption }]
    const dialog = this.#dialogs.idle
    // An image says nothing of how to reply: shown beside a prompt, it is a part of that prompt's turn.
    dialog.receive(
      { role: 'user', content: [...parts, toImagePart(image, this.#parts.judgeImageUrl)] },
      dialog.unansweredPrompt,
    )
    return this
  }

  respond(): Promise<Reply<never>> {
    try {
      const dialog = this.#dialogs.idle
      return this.#begin(dialog, contractOf(this.#promptOf(dialog))) as Promise<Reply<never>>
    } catch (misuse) {
      return Promise.reject(misuse)
    }
  }

  respondAs<S extends Schema>(schema: S): Promise<SchemaOutput<S>> {
    try {
      const reply = this.#begin(this.#dialogs.idle, jsonContract(schema))
      return quietly(reply.then(({ parsed }) => parsed as SchemaOutput<S>))
    } catch (misuse) {
      return Promise.reject(misuse)
    }
  }

  #promptOf({ current }: LiveDialog): AnyPrompt {
    return current.turnPrompt ?? this.#parts.plan.systemPrompt
  }

  #begin(dialog: LiveDialog, contract: Contract): Promise<Reply<unknown>> {
    return this.#parts.begin(() => this.#recordTurn(dialog, contract))
  }

  async #recordTurn(dialog: LiveDialog, contract: Contract): Promise<Reply<unknown>> {
    const { plan, world, signal, place, tell } = this.#parts
    const prompt = this.#promptOf(dialog)
    dialog.isBusy = true
    const named = { agent: plan.name, dialog: dialog.current.alias }
    const id = this.#idOfCall(dialog) ?? world.newId()
    const recorder = this.#parts.recorder.openAgentCall({ id, ...named, startedAtMs: world.clock.now() })
    const announcer = tell && announceAgent(tell, { ...place, callId: id, ...named })
    const span = startAgentCall(this.#parts.span, plan, { id, ...named }, dialog.messages)
    try {
      await announcer?.started()
      const tools = prompt.mcpServers.length === 0 ? prompt.tools : await this.#allToolsOf(prompt)
      const delivery = await runTurn(this.#openTurn(dialog, prompt, { tools, contract, recorder, announcer, span }))
      const call = recorder.close('success', delivery.message, world.clock.now())
      const { state, cost } = call
      endAgentCall(span, call)
      await announcer?.completed(state, cost)
      return { ...delivery, cost }
    } catch (error) {
      const thrown = signal.aborted ? stopError(signal) : error
      const call = recorder.close(signal.aborted ? 'cancelled' : 'failure', null, world.clock.now())
      endAgentCall(span, call, thrown)
      await announcer?.completed(call.state, call.cost)
      throw thrown
    } finally {
      dialog.isBusy = false
    }
  }

  /** In a run, what happens again in another attempt has the same id. */
  #idOfCall({ current, messages }: LiveDialog): string | undefined {
    const { journal, plan } = this.#parts
    return journal?.run.stableId(journal.scope, [plan.name, current.alias, messages])
  }

  #openTurn(dialog: LiveDialog, { handlers }: AnyPrompt, { tools, contract, ...told }: TurnParts): Turn {
    const { plan, world, prices, signal, deadlineAtMs, meter, journal: ofCall, observe, place } = this.#parts
    const journal = ofCall && { ...ofCall, agent: plan.name, dialog: dialog.current.alias }
    const observer = observe && new AgentObserver(observe, place.path.at(-1) ?? '', plan.name)
    const shared = { ...told, world, observer, signal, journal }
    const toolbox = openToolbox({ ...shared, tools, interrupt: handlers.interrupt })
    return { ...shared, plan, prices, deadlineAtMs, meter, contract, toolbox, handlers, dialog }
  }

  async #allToolsOf({ tools, mcpServers }: AnyPrompt): Promise<readonly Tool[]> {
    const { toolSource, signal } = this.#parts
    const fetchAll = () => Promise.all(mcpServers.map((server) => toolSource.tools(server, signal)))
    const served = await untilAborted(fetchAll, signal)
    // Of two tools with one name the last counts: a server cannot put its own in the place of the prompt's.
    return [...served.flat(), ...tools]
  }
}
