import { type Command, Option } from 'commander'
import type { Act } from '../command-line.ts'

export type Scope = 'project' | 'user'

export interface ExportPackageOptions {
  readonly bundleDeps?: true
  readonly json?: true
}

export interface InstallPackageOptions {
  readonly alias?: string
  readonly scope: Scope
  readonly replace?: true
  readonly json?: true
}

export interface ListPackagesOptions {
  readonly json?: true
}

export interface RemovePackageOptions {
  readonly scope?: Scope
  readonly json?: true
}

export function addPkg(program: Command, act: Act) {
  const family = program
    .command('pkg')
    .description('Exports, installs, lists and removes packages. None of their code is run.')
  addExport(family, act)
  addInstall(family, act)
  family
    .command('list')
    .description('Lists the packages that are installed, for the project and for the user.')
    .option('--json', 'the same as JSON')
    .action(
      act(async (shell, options: ListPackagesOptions) => {
        const { listPackages } = await import('./pkg-list.ts')
        return listPackages(shell, options)
      }),
    )
  family
    .command('remove')
    .description('Removes an installed package.')
    .argument('<name>', 'its name, or what its folder is called')
    .addOption(scopeOption('where it is installed (default: wherever it is)'))
    .option('--json', 'what was removed, as JSON')
    .action(
      act(async (shell, name: string, options: RemovePackageOptions) => {
        const { removeInstalled } = await import('./pkg-remove.ts')
        return removeInstalled(shell, name, options)
      }),
    )
}

function addExport(family: Command, act: Act) {
  family
    .command('export')
    .description('Writes a package to a zip file, which can be installed elsewhere.')
    .argument('<name>', 'the package: the name of the nearest lllm.toml, or of one that it needs, or an installed one')
    .argument('<out.zip>', 'the file to write; one that is there is replaced once the new one is whole')
    .option('--bundle-deps', 'with the packages that it depends on, which otherwise have to be installed there')
    .option('--json', 'what was exported, as JSON')
    .addHelpText('after', '\nExample:\n  $ lllm pkg export my_project my_project.zip --bundle-deps')
    .action(
      act(async (shell, name: string, out: string, options: ExportPackageOptions) => {
        const { exportNamed } = await import('./pkg-export.ts')
        return exportNamed(shell, name, out, options)
      }),
    )
}

function addInstall(family: Command, act: Act) {
  family
    .command('install')
    .description('Installs the package of a zip file. Its tactics are served from the next start on.')
    .argument('<zip>', 'the file, whoever made it: it is judged before anything of it is installed')
    .option('--alias <name>', 'what the package is called here beside its own name: a-z, 0-9, _ and -, at most 64')
    .addOption(
      scopeOption('for the project of the nearest lllm.toml, or in LLLM_HOME for all of the user').default('project'),
    )
    .option('--replace', 'in place of the version that is installed')
    .option('--json', 'what was installed, as JSON')
    .addHelpText('after', '\nExample:\n  $ lllm pkg install finance-toolkit.zip --alias finance')
    .action(
      act(async (shell, zip: string, options: InstallPackageOptions) => {
        const { installArchive } = await import('./pkg-install.ts')
        return installArchive(shell, zip, options)
      }),
    )
}

function scopeOption(description: string): Option {
  return new Option('--scope <scope>', description).choices(['project', 'user'])
}
