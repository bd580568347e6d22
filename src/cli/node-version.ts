/** The oldest Node that this runs on, as package.json says it. */
const oldest = { major: 24, minor: 11 } as const

/**
 * What whoever has an older Node is told: anything else would fail with a message that nobody understands. The scripts of a project
 * that was created bring a Node of their own; creating one needs it, too.
 */
export function refuseOldNode(version: string, args: readonly string[]): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOlder = major < oldest.major || (major === oldest.major && minor < oldest.minor)
  if (!isOlder) return undefined
  const again = ['npx -p node@26 -p lllm lllm', ...args.map(quote)].join(' ')
  return `lllm needs Node ${oldest.major}.${oldest.minor} or newer, and this is ${version}. npm can bring one along: ${again}\n`
}

/** As a shell takes it for one word. */
function quote(word: string): string {
  return /^[\w./:=@,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
