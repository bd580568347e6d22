import { describe, expect, onTestFinished, test } from 'vitest'
import { type ChatSetup, costUsd, loadRuntime } from '../../src/index.ts'
import { hang, type Script, says, status } from '../support/scripted-provider.ts'
import { environmentOf, projectFolder, scripted } from './support/service.ts'

async function open(script: Script) {
  const provider = await scripted(script)
  const runtime = await loadRuntime({ folder: projectFolder, env: environmentOf({ provider }) })
  onTestFinished(() => runtime.close())
  return { provider, runtime }
}

const setup: ChatSetup = { model: 'gpt-4o', systemPrompt: 'You are brief.', tags: { team: 'search' } }

describe('a chat', () => {
  test('has as many turns as one likes, is one session, and costs what its turns cost', async () => {
    const { provider, runtime } = await open(({ index }) => says(`reply ${index}`))
    const chat = runtime.chat(setup)
    const first = await chat.send('Hello')
    const second = await chat.send('And then?')
    expect([first.content, second.content]).toEqual(['reply 0', 'reply 1'])
    expect(provider.requests[1]?.messages).toMatchObject([
      { content: 'You are brief.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'reply 0' },
      { role: 'user', content: 'And then?' },
    ])

    const report = await chat.close()
    expect(report).toMatchObject({
      ok: true,
      result: 'reply 1',
      session: { state: 'success', tags: { team: 'search' } },
    })
    expect(report.session.agentCalls).toHaveLength(2)
    expect(costUsd(report.session.cost)).toBeCloseTo((costUsd(first.cost) ?? 0) + (costUsd(second.cost) ?? 0), 12)
    expect(await runtime.store.get(report.session.id)).toMatchObject({ tactic: 'quick', state: 'success' })
  })

  test('answers in order what is said all at once', async () => {
    const { provider, runtime } = await open(({ lastText }) => says(`re: ${lastText}`))
    const chat = runtime.chat(setup)
    const replies = await Promise.all(['one', 'two', 'three'].map((text) => chat.send(text)))
    expect(replies.map(({ content }) => content)).toEqual(['re: one', 're: two', 're: three'])
    expect(provider.inFlightMax).toBe(1)
    await chat.close()
  })

  test('goes on after a turn that failed', async () => {
    const { runtime } = await open(({ index }) => (index === 0 ? status(400) : says('Here I am.')))
    const chat = runtime.chat(setup)
    await expect(chat.send('Hello')).rejects.toMatchObject({ code: 'provider-rejected' })
    expect((await chat.send('Hello?')).content).toBe('Here I am.')
    const { session } = await chat.close()
    expect(session.agentCalls.map(({ state }) => state)).toEqual(['failure', 'success'])
    expect(session.state).toBe('success')
  })

  test('can be closed twice, and takes nothing afterwards', async () => {
    const { runtime } = await open(() => says('Hello'))
    const chat = runtime.chat(setup)
    expect(await chat.close()).toBe(await chat.close())
    await expect(chat.send('Are you there?')).rejects.toMatchObject({ code: 'dialog-misuse' })
    expect((await chat.close()).session).toMatchObject({ state: 'success', result: '', agentCalls: [] })
  })

  test('that is closed while messages wait answers them first', async () => {
    const { runtime } = await open(({ lastText }) => says(`re: ${lastText}`))
    const chat = runtime.chat(setup)
    const replies = Promise.all([chat.send('one'), chat.send('two')])
    expect(await chat.close()).toMatchObject({ result: 're: two' })
    expect(await replies).toMatchObject([{ content: 're: one' }, { content: 're: two' }])
  })

  test('ends with its time or its signal, and whoever waits for a reply is told', async () => {
    const { provider, runtime } = await open(() => hang())
    const late = runtime.chat({ ...setup, timeoutMs: 50 })
    const [asked, waiting] = [late.send('Hello'), late.send('Hello?')]
    await expect(asked).rejects.toMatchObject({ code: 'deadline-exceeded' })
    await expect(waiting).rejects.toMatchObject({ code: 'deadline-exceeded' })
    expect(await late.close()).toMatchObject({ ok: false, session: { state: 'cancelled', endReason: 'deadline' } })
    await expect(late.send('Hello??')).rejects.toMatchObject({ code: 'dialog-misuse' })

    const controller = new AbortController()
    const cancelled = runtime.chat({ ...setup, signal: controller.signal })
    controller.abort()
    expect(await cancelled.close()).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    await provider.until(({ inFlight }) => inFlight === 0)
  })

  test('takes instructions as they are, braces and all', async () => {
    const { provider, runtime } = await open(() => says('{}'))
    const systemPrompt = 'Reply with {"name": {name}}, {{name}} or {}.'
    await runtime.quick('Hello', { model: 'gpt-4o', systemPrompt })
    expect(provider.requests[0]?.messages[0]?.content).toBe(systemPrompt)
  })

  test('hands its model args on', async () => {
    const { provider, runtime } = await open(() => says('Hello'))
    await runtime.quick('Hello', { model: 'gpt-4o', modelArgs: { temperature: 0.3 } })
    expect(provider.requests[0]?.body).toMatchObject({ model: 'gpt-4o', temperature: 0.3 })
  })
})

describe('quick', () => {
  test('asks one thing and stores one session', async () => {
    const { runtime } = await open(() => says('Bees are busy.'))
    expect(await runtime.quick('What are bees?', { model: 'gpt-4o' })).toBe('Bees are busy.')
    expect((await runtime.store.list({}, 10)).data).toMatchObject([{ tactic: 'quick', state: 'success' }])
  })

  test('rejects with the error of the turn, and stores the session as well', async () => {
    const { runtime } = await open(() => status(400))
    await expect(runtime.quick('Hello', { model: 'gpt-4o' })).rejects.toMatchObject({ code: 'provider-rejected' })
    expect((await runtime.store.list({}, 10)).data).toHaveLength(1)
  })
})
