import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { costUsd } from 'lllm'
import { answersBy, callsTool, fails, saysJson, testRuntime, toTranscript } from 'lllm/testing'
import OrderHelp from '../authoring/tactics/order-help.ts'
import Panel from '../authoring/tactics/panel.ts'
import { makeBriefing } from '../client/briefing.ts'
import Headline from '../first/tactics/headline.ts'

const folder = join(import.meta.dirname, '../first')
const headlines = ['Rain', 'Wet', 'It pours']

// #region first
test('a headline is what the model has made of the text', async () => {
  const { build, model } = await testRuntime({ folder, model: [saysJson({ headlines })] })

  assert.deepEqual(await build(Headline)({ text: 'It rained.' }), { headlines })
  assert.match(model.textsOf('editor')[0] ?? '', /three plain headlines/)
  model.expectDone()
})
// #endregion

// #region retry
test('a reply with too few headlines is sent back, and paid for', async () => {
  const { build, model } = await testRuntime({
    folder,
    model: [saysJson({ headlines: ['Rain'] }), saysJson({ headlines })],
  })

  const { session } = await build(Headline).session({ text: 'It rained.' })
  assert.match(model.textsOf('editor')[1] ?? '', /could not be used/)
  assert.equal(costUsd(session.cost), 0.00028) // 2 × (100 × $1 + 20 × $2) per million tokens
})
// #endregion

// #region agents
test('an order is looked up before the customer is told of it', async () => {
  const { build, model } = await testRuntime({
    folder: join(import.meta.dirname, '../authoring'),
    model: { support: [callsTool('find_order', { number: 'A-17' }), 'It was sent on March 2nd.'] },
  })

  assert.equal(await build(OrderHelp)('Where is A-17?'), 'It was sent on March 2nd.')
  assert.match(model.textsOf('support')[1] ?? '', /2026-03-02/) // what the tool has found
  model.expectDone()
})
// #endregion

// #region function
test('a panel may be answered in any order', async () => {
  const model = answersBy((text) => (text.includes('Sell ice.') ? 'Too cold.' : 'What?'))
  const { build } = await testRuntime({ tactics: [Panel], model })

  assert.equal(await build(Panel)('Sell ice.'), 'Too cold.\nToo cold.\nToo cold.')
})
// #endregion

// #region failure
test('a provider that fails is asked again, and nobody waits in a test', async () => {
  const { build, sleeps } = await testRuntime({
    folder,
    model: [fails('rate-limited', { retryAfterMs: 30_000 }), saysJson({ headlines })],
  })

  await build(Headline)({ text: 'It rained.' })
  assert.deepEqual(sleeps, [30_000])
})
// #endregion

// #region remote
test('a briefing is made of what the other service has found', async () => {
  const Briefing = makeBriefing('http://research.internal:8080') // nobody is asked there
  const { build, model } = await testRuntime({
    tactics: [Briefing],
    model: 'In short: bees dance.',
    remotes: { digest: (task) => `What is known of ${JSON.stringify(task)}` },
  })

  assert.equal(await build(Briefing)('bees'), 'In short: bees dance.')
  assert.deepEqual(model.textsOf('editor'), ['What is known of {"articles":["bees"]}'])
})
// #endregion

// #region transcript
test('the whole conversation is as it was', async () => {
  const { build, recordSessions } = await testRuntime({ folder, model: [saysJson({ headlines })] })
  const sessions = recordSessions()

  await build(Headline)({ text: 'It rained.' })
  assert.equal(
    sessions.map(toTranscript).join('\n'),
    `tactic headline: success
  task: {"text":"It rained."}
  agent editor/headlines
    system: You are a newspaper editor.
    user: Suggest three plain headlines for this text:

      It rained.
    assistant: {"headlines":["Rain","Wet","It pours"]}
  result: {"headlines":["Rain","Wet","It pours"]}
`,
  )
})
// #endregion
