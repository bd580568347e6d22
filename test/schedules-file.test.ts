import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tactic } from 'lllm'
import { testRuntime } from 'lllm/testing'
import { expect, test } from 'vitest'
import { isLllmError } from '../src/domain/errors.ts'
import { readSchedules } from '../src/read-schedules.ts'
import { manifest, packageFolder } from './packages/package-folder.ts'

class Answer extends Tactic({ name: 'answer', agents: ['clerk'] }) {
  async call(task: string) {
    return (await this.agents.clerk.open('desk').receive(task).respond()).content
  }
}

/** Reads a file of schedules for a service with one tactic, which sends no webhooks. */
async function read(text: string) {
  const folder = await packageFolder({ 'lllm.toml': manifest() })
  const file = join(folder, 'schedules.yaml')
  await writeFile(file, text)
  const { engine } = await testRuntime({ tactics: [Answer] })
  const judgeWebhook = () => 'cannot be told: set LLLM_WEBHOOK_SECRETS'
  return readSchedules(file, { runTimeoutMs: 86_400_000 }, { engine, judgeWebhook })
}

/** What it is refused with, without the folder of the file. */
async function refusal(text: string): Promise<string> {
  const error = await read(text).catch((reason: unknown) => reason)
  if (!isLllmError(error) || error.code !== 'invalid-settings') throw error
  return error.message.replaceAll(/\/\S*\/(?=schedules\.yaml)/g, '')
}

const sound = 'name: daily, tactic: answer, cron: 0 6 * * *, task: bees'

test('what is left out of a schedule has its default', async () => {
  const [schedule] = await read(`schedules: [{ ${sound}, config: default, time_zone: Asia/Tokyo, timeout_ms: 5000 }]`)
  expect(schedule).toMatchObject({ tenant: 'default', overlap: 'skip', catchUp: 'none', options: { timeoutMs: 5_000 } })
  expect(schedule?.times.next(0)).toBe(Date.UTC(1970, 0, 1, 21))
})

test.each([
  ['no YAML', 'schedules: [', /^schedules\.yaml:1:\d+: /],
  [
    'a key that there is not',
    `schedules: [{ ${sound}, zone: UTC }]`,
    /^schedules\.yaml:1:\d+: \/schedules\/0\/zone is not known\. .*Known: name, tenant, tactic, cron/,
  ],
  ['a key of the file that there is not', 'scheduls: []', /Did you mean "schedules"\?/],
  [
    'a name that is none',
    `schedules: [{ ${sound.replace('daily', 'every day')} }]`,
    /\/schedules\/0\/name: must be 1 to 64 letters/,
  ],
  [
    'two of one name',
    `schedules:\n  - { ${sound} }\n  - { ${sound} }`,
    /^schedules\.yaml:3:13: \/schedules\/1\/name: There is already a schedule "daily": \/schedules\/0\.$/,
  ],
  [
    'a tactic that there is not',
    `schedules: [{ ${sound.replace('answer', 'anser')} }]`,
    /\/tactic: There is no tactic "anser"\. Did you mean "answer"\? Known: answer\./,
  ],
  [
    'a config that there is not',
    `schedules: [{ ${sound}, config: pro }]`,
    /\/config: The tactic "answer" has no config "pro"\. Known: default\./,
  ],
  [
    'a task that does not fit',
    `schedules: [{ ${sound.replace('bees', '{ about: bees }')} }]`,
    /\/task: The task does not fit the tactic "answer"\./,
  ],
  ['no task', `schedules: [{ ${sound.replace(', task: bees', '')} }]`, /\/schedules\/0\/task: is required/],
  [
    'an expression that is none',
    `schedules: [{ ${sound.replace('0 6', '0 25')} }]`,
    /\/cron: "0 25 \* \* \*" is no cron expression such as .*hour: 25/,
  ],
  [
    'a time that never comes',
    `schedules: [{ ${sound.replace('* * *', '31 2 *')} }]`,
    /\/cron: .*It never comes true\./,
  ],
  [
    'a zone that there is not',
    `schedules: [{ ${sound}, time_zone: Europe/Berln }]`,
    /\/time_zone: There is no time zone "Europe\/Berln"/,
  ],
  [
    'a policy that there is not',
    `schedules: [{ ${sound}, overlap: queue }]`,
    /\/overlap: must be skip, allow or cancel/,
  ],
  ['a run that takes too long', `schedules: [{ ${sound}, timeout_ms: 86400001 }]`, /\/timeout_ms: /],
  [
    'a webhook that could not be signed',
    `schedules: [{ ${sound}, webhook: { url: "https://example.org/" } }]`,
    /\/webhook: The URL cannot be told: set LLLM_WEBHOOK_SECRETS/,
  ],
])('a mistake in the file stops the start, and is told with its place: %s', async (_mistake, schedules, message) => {
  expect(await refusal(schedules)).toMatch(message)
})

test('several mistakes are told at once, each with its line', async () => {
  const message = await refusal(`schedules:
  - name: one
    tactic: anser
    cron: daily
    task: bees
  - name: two
    tactic: answer
    cron: "@daily"
    time_zone: Mars/Phobos
    task: 7
`)
  expect(message.split('\n').map((line) => /^schedules\.yaml:(\d+):\d+: (\S+):/.exec(line)?.slice(1))).toEqual([
    ['4', '/schedules/0/cron'],
    ['3', '/schedules/0/tactic'],
    ['9', '/schedules/1/time_zone'],
    ['10', '/schedules/1/task'],
  ])
})
