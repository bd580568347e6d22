import { errorCodes } from './errors.ts'
import { type DigestImage, mayHaveImage, withoutBase64, withoutDataUrls } from './image-reference.ts'
import type { AssistantMessage } from './message.ts'
import type { Redactor } from './redact.ts'
import { valueRedactor } from './redact-value.ts'
import type { AgentCall, ErrorRecord, LlmCall, Session, ToolCallRecord } from './session.ts'
import { writeSessionRecord } from './session-record.ts'
import { leastOf, type StoreContent } from './store-content.ts'

/** Stands where the text of an error was. */
const notKept = 'Not kept.'

export interface KeepingRules {
  /** What is kept at the most, whatever a session says itself. */
  readonly most: StoreContent
  readonly redactor: Redactor
  readonly digestImage: DigestImage
}

/** A session as it may be kept, and its record as JSON, where nothing else than that had to be looked at. */
export interface KeptSession {
  readonly session: Session
  readonly record?: string
}

/**
 * What is kept of a session, as {@link keptSession} says. Most have no image, no error and no secret: then their record, which is written
 * anyway, tells so in a fraction of the time that it takes to walk through them.
 */
export function keepSession(session: Session, rules: KeepingRules): KeptSession {
  const record = rules.most === 'full' && isPlain(session) ? tryToWrite(session) : undefined
  const isClean = record !== undefined && !mayHaveImage(record) && !rules.redactor.mayKnowIn(record)
  return isClean ? { session, record } : { session: keptSession(session, rules) }
}

/** Whether all of it may be kept, and there is no error, of which less may be. */
function isPlain({ content = 'full', error, agentCalls, subSessions }: Session): boolean {
  return content === 'full' && error === null && agentCalls.every(isWithoutErrors) && subSessions.every(isPlain)
}

function isWithoutErrors({ llmCalls, toolCalls, retries }: AgentCall): boolean {
  const isFine = ({ error }: LlmCall | ToolCallRecord) => error === null
  return retries.length === 0 && llmCalls.every(isFine) && toolCalls.every(isFine)
}

/** Undefined for what JSON cannot carry: whoever stores it tells of that. */
function tryToWrite(session: Session): string | undefined {
  try {
    return writeSessionRecord(session)
  } catch {
    return undefined
  }
}

/**
 * A session as it may be kept. Images are kept by reference, and errors without secrets, always. Of the rest of its texts
 *
 * - `full` keeps all, without the secrets whose values are known;
 * - `redacted` keeps all, without what has the shape of a secret, too;
 * - `none` keeps none: ids, names, states, tags, times, tokens and costs are left.
 *
 * A sub-session keeps no more than the session that it is in.
 */
export function keptSession(session: Session, rules: KeepingRules): Session {
  const content = leastOf(rules.most, session.content ?? 'full')
  const subSessions = mapped(session.subSessions, (child) => keptSession(child, { ...rules, most: content }))
  const { redactor, digestImage } = rules
  if (content === 'none') {
    return { ...withoutTexts(session), tags: redactor.allIn(session.tags), subSessions, content }
  }
  const isRedacted = content === 'redacted'
  const keep = valueRedactor({
    text: (text) => redactor[isRedacted ? 'all' : 'known'](withoutDataUrls(text, digestImage)),
    byName: isRedacted,
    object: (given) => withoutBase64(given, digestImage),
  })
  return changed(session, {
    task: keep(session.task),
    result: keep(session.result),
    error: redactor.allIn(session.error),
    tags: keep(session.tags),
    metadata: keep(session.metadata),
    agentCalls: mapped(session.agentCalls, (call) =>
      changed(call, {
        llmCalls: mapped(call.llmCalls, (llmCall) => keepTexts(llmCall, redactor, keep)),
        toolCalls: mapped(call.toolCalls, (tool) => changed(keep(tool), { error: redactor.allIn(tool.error) })),
        retries: mapped(call.retries, redactor.allIn),
        delivery: keep(call.delivery),
      }),
    ),
    subSessions,
    ...(content === 'full' ? {} : { content }),
  })
}

function keepTexts(call: LlmCall, redactor: Redactor, keep: <Value>(value: Value) => Value): LlmCall {
  const { request, response, error } = call
  return changed(call, {
    request: keep(request),
    response: response && changed(response, { message: keep(response.message) }),
    error: redactor.allIn(error),
  })
}

/** The same object where nothing has changed, as nearly always nothing has. */
function changed<Whole extends object>(whole: Whole, fields: Partial<Whole>): Whole {
  for (const name in fields) if (fields[name] !== whole[name]) return { ...whole, ...fields }
  return whole
}

/** The same list where no item has changed. */
function mapped<Item>(items: readonly Item[], change: (item: Item) => Item): readonly Item[] {
  const all = items.map(change)
  return all.some((item, index) => item !== items[index]) ? all : items
}

function withoutTexts(session: Session): Session {
  return {
    ...session,
    task: null,
    result: null,
    error: session.error && withoutDetails(session.error),
    metadata: {},
    agentCalls: session.agentCalls.map(withoutMessages),
  }
}

/** Of its data, amounts and times are left. */
function withoutDetails({ code, data }: ErrorRecord): ErrorRecord {
  const { budget, retryAfterMs } = data ?? {}
  return {
    code,
    message: Object.hasOwn(errorCodes, code) ? errorCodes[code] : notKept,
    data: { ...(budget === undefined ? {} : { budget }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  }
}

const silent: AssistantMessage = { role: 'assistant', content: '' }

function withoutMessages(call: AgentCall): AgentCall {
  return {
    ...call,
    llmCalls: call.llmCalls.map(({ request: _, response, error, ...rest }) => ({
      ...rest,
      request: { messages: [], args: {}, tools: [] },
      response: response && { ...response, message: silent },
      error: error && { code: error.code, message: notKept },
    })),
    toolCalls: call.toolCalls.map((tool) => ({
      ...tool,
      arguments: '',
      result: '',
      error: tool.error === null ? null : notKept,
    })),
    retries: call.retries.map((retry) => ({ ...retry, error: notKept })),
    delivery: call.delivery && silent,
  }
}
