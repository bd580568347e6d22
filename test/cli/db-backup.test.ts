import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { runLllm } from './support/test-shell.ts'

const { newPath } = databaseFiles()

/** It has one session in it. */
const database = newPath()
beforeAll(() => runLllm(['run', 'summarizer', 'Bees dance.'], { database }))

/** The path of a backup that is not there yet, in a folder of its own. */
function newBackup() {
  const folder = dirname(newPath())
  mkdirSync(folder)
  return join(folder, 'backup.db')
}

describe('lllm db backup', () => {
  test('writes a database that can be used in the place of the other, for its owner alone', async () => {
    const backup = newBackup()
    const { code, stdout, stderr } = await runLllm(['db', 'backup', backup], { database })
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `Wrote ${backup}: ${statSync(backup).size} bytes.\n`,
      stderr: '',
    })
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(backup))).toEqual(['backup.db'])
    const listed = await runLllm(['sessions', '--json'], { database })
    expect(listed.stdout).toContain('"summarizer"')
    expect(await runLllm(['sessions', '--json'], { database: backup })).toEqual(listed)
  })

  test('tells programs what it wrote', async () => {
    const backup = newBackup()
    const { stdout } = await runLllm(['db', 'backup', backup, '--json'], { database })
    expect(JSON.parse(stdout)).toEqual({ file: backup, bytes: statSync(backup).size })
  })

  test('overwrites nothing', async () => {
    const backup = newBackup()
    writeFileSync(backup, 'the only copy of something else')
    expect(await runLllm(['db', 'backup', backup], { database })).toEqual({
      code: 2,
      stdout: '',
      stderr: `lllm: ${backup} is there already, and a backup overwrites nothing. Name another file.\n`,
    })
    expect(readFileSync(backup, 'utf8')).toBe('the only copy of something else')
  })

  test('leaves nothing behind where the database is none of ours, or the folder is missing', async () => {
    const backup = newBackup()
    writeFileSync(join(dirname(backup), 'notes.db'), 'no database at all, but long enough to be taken for one')
    const foreign = await runLllm(['db', 'backup', backup], { database: join(dirname(backup), 'notes.db') })
    expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining('is not a SQLite database') })
    expect(readdirSync(dirname(backup))).toEqual(['notes.db'])
    const nowhere = await runLllm(['db', 'backup', join(dirname(backup), 'missing/backup.db')], { database })
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('Its folder is not there') })
  })

  test('makes no empty database where there is none to back up', async () => {
    const missing = newPath()
    const { code, stderr } = await runLllm(['db', 'backup', newBackup()], { database: missing })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `lllm: There is no database ${missing}. Name the one to back up by LLLM_DATABASE.\n`,
    })
    expect(existsSync(missing)).toBe(false)
  })

  test('names the command that backs up a PostgreSQL, and not its password', async () => {
    const { code, stderr } = await runLllm(['db', 'backup', 'x'], { database: 'postgres://lllm:hunter2@db/lllm' })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'lllm: LLLM_DATABASE is a PostgreSQL, which its own tools back up: pg_dump --format=custom --file=FILE --dbname="$LLLM_DATABASE"\n',
    })
  })
})
