import { isLllmError, LllmError } from '../../domain/errors.ts'
import { type Environment, readSettings, type Settings } from '../../settings.ts'
import { harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { tellCount } from '../look/figures.ts'
import type { Output, Shell } from '../shell.ts'
import { styled, write, writeJson } from '../write.ts'
import type { CheckOptions } from './check-command.ts'
import { Findings } from './check-findings.ts'
import { type CheckReport, checkProject } from './check-project.ts'

export async function runCheck(shell: Shell, options: CheckOptions): Promise<ExitCode> {
  const { env, folder, stdout } = shell
  const findings = new Findings()
  const settings = judgeSettings(env, findings)
  const report = await checkProject({ settings, folder, isStatic: options.static === true }, findings)
  const { mistakes, warnings } = report.findings
  if (options.json) {
    await writeJson(stdout, { ok: mistakes.length === 0, mistakes, warnings, checked: report.checked })
  } else {
    await writeReport(stdout, report)
  }
  return mistakes.length === 0 ? exitCodes.done : exitCodes.failed
}

/** Where variables are wrong, the project is judged with the others. */
function judgeSettings(env: Environment, findings: Findings): Settings {
  const read = (given: Environment) => {
    try {
      return readSettings(given)
    } catch (error) {
      if (isLllmError(error)) return error
      throw error
    }
  }
  const settings = read(env)
  if (!isLllmError(settings)) return settings
  for (const line of settings.message.split('\n')) findings.note(new LllmError(settings.code, line))
  const sound = Object.entries(env).filter(([name, value]) => !isLllmError(read({ [name]: value })))
  return readSettings(Object.fromEntries(sound))
}

async function writeReport(stdout: Output, { findings, checked }: CheckReport): Promise<void> {
  const { mistakes, warnings } = findings
  for (const { message } of mistakes) {
    await write(stdout, `${styled(stdout, 'red', 'mistake')}  ${harmlessLines(message)}\n`)
  }
  for (const warning of warnings) {
    await write(stdout, `${styled(stdout, 'yellow', 'warning')}  ${harmlessLines(warning)}\n`)
  }
  const { packages, tactics, configs, prompts } = checked
  const seen = [
    tellCount(packages, 'package'),
    tellCount(tactics, 'tactic'),
    tellCount(configs, 'config'),
    tellCount(prompts, 'prompt'),
  ]
  const result = mistakes.length === 0 ? 'No mistakes' : tellCount(mistakes.length, 'mistake')
  const warned = warnings.length === 0 ? '' : `, ${tellCount(warnings.length, 'warning')}`
  await write(stdout, `${result}${warned} in ${seen.join(', ')}.\n`)
}
