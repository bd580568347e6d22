import { deflateRawSync } from 'node:zlib'
import { manifest } from '../../package-folder.ts'
import { type RawEnd, type RawEntry, rawZip } from './raw-zip.ts'

/** An archive that must not be installed, and what its refusal says. */
export interface HostileArchive {
  readonly what: string
  readonly bytes: () => Uint8Array
  readonly told: string | RegExp
}

const mebibyte = 1024 * 1024
const manifestEntry: RawEntry = { name: 'lllm.toml', data: manifest('demo') }

/** A package of one more entry. */
function withEntry(what: string, entry: RawEntry, told: string | RegExp, end: RawEnd = {}): HostileArchive {
  return { what, bytes: () => rawZip([manifestEntry, entry], end), told }
}

function withName(what: string, name: string, told: string): HostileArchive {
  return withEntry(`${what}: ${JSON.stringify(name)}`, { name, data: 'x' }, told)
}

function withEntries(what: string, entries: readonly RawEntry[], told: string | RegExp): HostileArchive {
  return { what, bytes: () => rawZip([manifestEntry, ...entries]), told }
}

function withManifest(
  what: string,
  text: string,
  told: string | RegExp,
  more: readonly RawEntry[] = [],
): HostileArchive {
  return { what, bytes: () => rawZip([{ name: 'lllm.toml', data: text }, ...more]), told }
}

const files = (...names: readonly string[]): readonly RawEntry[] => names.map((name) => ({ name, data: 'x' }))

export const hostileNames: readonly HostileArchive[] = [
  withName('a way out', '../evil', 'The entry "../evil" is refused: it has ".." as a part, which leads elsewhere.'),
  withName('a way out further on', 'tactics/../../evil', 'it has ".." as a part'),
  withName('a way out that comes back', 'a/../b', 'it has ".." as a part'),
  withName('an absolute path', '/etc/evil', 'it is an absolute path'),
  withName('a path of the network', '//host/evil', 'it is an absolute path'),
  withName('a drive letter', 'C:/evil', 'it begins with a drive letter'),
  withName('a drive letter without a slash', 'c:evil', 'it begins with a drive letter'),
  withName('a second stream of a file', 'tactics/a.ts:evil', 'it has a colon'),
  withName('backslashes', 'tactics\\evil', 'it has a backslash'),
  withName('a way out by backslashes', '..\\..\\evil', 'it has a backslash'),
  withName('a NUL', 'tactics/a.ts\0.md', 'The entry "tactics/a.ts\\u0000.md" is refused: it has control characters.'),
  withName('a line break', 'a\nb', 'it has control characters'),
  withName('a text that turns around', 'a\u202eb', 'The entry "a\\u202eb" is refused: it has control characters.'),
  withName('an escape of the terminal', 'a\u001b[2Jb', 'it has control characters'),
  withName('no name', '', 'a part of it is empty'),
  withName('nothing but a slash', '/', 'a part of it is empty'),
  withName('an empty part', 'a//b', 'a part of it is empty'),
  withName('a part that is a dot', 'a/./b', 'it has "." as a part'),
  withName('a dot', '.', 'it has "." as a part'),
  withName('two dots', '..', 'it has ".." as a part'),
  withName('a folder that is two dots', '../', 'it has ".." as a part'),
  withName('a part that is too long', 'x'.repeat(256), 'a part of it is longer than 255 bytes'),
  withName('a part too long in bytes', '語'.repeat(86), 'a part of it is longer than 255 bytes'),
  withName('a path that is too long', 'folder/'.repeat(150), 'it is longer than 1024 bytes'),
  withName('a path that is too deep', `${'a/'.repeat(33)}b`, 'it is nested deeper than 32 folders'),
  withName('an end that Windows drops', 'a./b', 'a part of it ends with a dot or a space'),
  withName('a blank that Windows drops', 'lllm.toml ', 'a part of it ends with a dot or a space'),
  withName('a device of Windows', 'tactics/aux.ts', '"aux.ts" is a device on Windows'),
  withEntry(
    'a name that is not UTF-8',
    { name: Buffer.from([0x61, 0xff]), data: 'x' },
    'The entry "aÿ" is refused: its name is not UTF-8.',
  ),
  withEntry('two names', { name: 'a.md', localName: 'b.md', data: 'x' }, 'its own header gives it another name'),
  withEntries('one file twice', files('a.md', 'a.md'), 'The entry "a.md" is refused: it is there twice.'),
  { what: 'two manifests', bytes: () => rawZip([manifestEntry, manifestEntry]), told: 'it is there twice' },
  withEntries('names that differ in case', files('a.md', 'A.md'), 'on some systems "A.md" and "a.md" are one'),
  withEntries('folders that differ in case', files('a/b.md', 'A/c.md'), 'on some systems "A" and "a" are one'),
  withEntries('names that differ in composition', files('\u00e9', 'e\u0301'), 'are one'),
  withEntries('names that differ in sharp s', files('stra\u00dfe', 'STRASSE'), 'are one'),
  withEntries('a file that is a folder, too', files('a', 'a/b'), '"a" is a file as well as a folder'),
  withEntries('a folder that is a file, too', files('a/b', 'a'), '"a" is a file as well as a folder'),
]

export const hostileKinds: readonly HostileArchive[] = [
  withEntry('a link', { name: 'a', data: '/etc/passwd', mode: 0o120777 }, 'The entry "a" is refused: it is a link.'),
  withEntry('a link of no system', { name: 'a', data: '/', mode: 0o120777, madeBy: 0 }, 'it is a link'),
  withEntry('a device', { name: 'a', mode: 0o020666 }, 'it is a device, a pipe or a socket'),
  withEntry('a pipe', { name: 'a', mode: 0o010666 }, 'it is a device, a pipe or a socket'),
  withEntry('a folder by its mode only', { name: 'a', mode: 0o040755 }, 'by its name or by its mode, but not by both'),
  withEntry('a folder by its name only', { name: 'a/', mode: 0o100644 }, 'by its name or by its mode, but not by both'),
  withEntry('a folder with content', { name: 'a/', data: 'x', mode: 0o040755 }, 'it is a folder, but has content'),
  withEntry('an encrypted file', { name: 'a', data: 'x', flags: 0x0801 }, 'it is encrypted'),
  withEntry('strong encryption', { name: 'a', data: 'x', flags: 0x0841 }, 'strong encryption is not supported'),
  withEntry('an unknown method', { name: 'a', data: 'x', method: 12 }, 'its compression method is 12; stored (0)'),
  withEntry('a long comment', { name: 'a', comment: Buffer.alloc(5000) }, 'it has too long a comment'),
  withEntry(
    'a torn extra field',
    { name: 'a', extra: Buffer.from([1, 0, 9, 9]) },
    /It is damaged: the entry after "lllm\.toml"/,
  ),
]

export const hostileSizes: readonly HostileArchive[] = [
  {
    what: '100,000 entries, which takes zip64',
    bytes: () => rawZip([manifestEntry, ...emptyFiles(100_000)], { zip64: true, declaredEntries: 0xffff }),
    told: 'It has 100001 entries; at most 10000 are unpacked.',
  },
  {
    what: 'more entries than it says',
    bytes: () => rawZip([manifestEntry, ...files('a.md')], { declaredEntries: 1 }),
    told: 'There is something between its last entry and its end',
  },
  {
    what: 'fewer entries than it says',
    bytes: () => rawZip([manifestEntry], { declaredEntries: 2 }),
    told: 'It is damaged: the entry after "lllm.toml" cannot be read',
  },
  withEntry(
    'a file of 65 MB',
    { name: 'a', declaredBytes: 65 * mebibyte },
    'it has 68157440 bytes; a file has at most',
  ),
  withEntries(
    'more than 256 MB in all',
    Array.from({ length: 5 }, (_, index) => ({ name: `${index}`, data: 'x', declaredBytes: 60 * mebibyte })),
    /Its files have 3145728\d\d bytes; at most 268435456 are unpacked\./,
  ),
  withEntry(
    '60 MB of zeros',
    { name: 'a', data: Buffer.alloc(60 * mebibyte) },
    /62914560 bytes are made from \d+; at most 100/,
  ),
  withEntries(
    '200 MB of zeros in files of 1 MB',
    Array.from({ length: 200 }, (_, index) => ({
      name: `${index}`,
      declaredBytes: mebibyte,
      packed: zerosOf(mebibyte),
    })),
    /209715\d+ bytes are made from \d+; at most 100 times as much is unpacked/,
  ),
  withEntry(
    '60 MB that say they are 100 bytes',
    { name: 'a', packed: zerosOf(60 * mebibyte), declaredBytes: 100 },
    'The entry "a" is refused: what it holds is damaged (it should have 100 bytes, but has more).',
  ),
  withEntry(
    'fewer bytes than it says',
    { name: 'a', data: 'x', declaredBytes: 9 },
    'it should have 9 bytes, but has 1',
  ),
  withEntry('stored bytes of another size', { name: 'a', data: 'x', method: 0, declaredBytes: 9 }, 'size mismatch'),
  withEntry('a wrong checksum', { name: 'a', data: 'x', declaredCrc32: 1 }, 'its checksum does not fit'),
  withEntry(
    'bytes that are not deflated',
    { name: 'a', data: 'x', packed: Buffer.from([0xff, 0xff]) },
    'what it holds is damaged',
  ),
  withEntry(
    'bytes after the end of a file',
    { name: 'a', data: 'x', packed: Buffer.concat([deflateRawSync('x'), Buffer.from('more')]) },
    'it goes on after its end',
  ),
  withEntry(
    'bytes that end early',
    { name: 'a', data: 'x', packed: deflateRawSync('xyz').subarray(0, 2) },
    'unexpected end',
  ),
  withEntry(
    'more packed bytes than there are',
    { name: 'a', data: 'x', declaredPackedBytes: 1e6 },
    'damaged or cut off',
  ),
  withEntries(
    'entries that share their bytes',
    [
      { name: 'a', data: 'x' },
      { name: 'a', data: 'x', sharesBytes: true },
    ].map((entry, index) => ({
      ...entry,
      name: `${index}`,
      localName: '0',
    })),
    'its own header gives it another name',
  ),
  withEntries(
    'entries that reach into each other',
    [
      { name: 'a', data: 'x'.repeat(50), declaredPackedBytes: 60 },
      { name: 'b', data: 'x'.repeat(500) },
    ],
    'The entry "b" is refused: its bytes are those of another entry, too.',
  ),
]

function emptyFiles(count: number): readonly RawEntry[] {
  return Array.from({ length: count }, (_, index) => ({ name: `a/${index}`, method: 0 }))
}

function zerosOf(bytes: number): Uint8Array {
  return deflateRawSync(Buffer.alloc(bytes))
}

const honest = () => rawZip([manifestEntry, ...files('tactics/a.ts')])
const zip64Record = Buffer.alloc(76)
zip64Record.writeUInt32LE(0x06064b50)
zip64Record.writeUInt32LE(0x07064b50, 56)

export const hostileFiles: readonly HostileArchive[] = [
  { what: 'nothing', bytes: () => Buffer.alloc(0), told: 'It is not a whole zip file' },
  { what: 'a text', bytes: () => Buffer.from('hello '.repeat(100)), told: 'It is not a whole zip file' },
  { what: 'a zip file that is cut off', bytes: () => honest().subarray(0, -30), told: 'It is not a whole zip file' },
  { what: 'a zip file without its beginning', bytes: () => honest().subarray(20), told: /damaged|not a whole/ },
  {
    what: 'bytes after the end',
    bytes: () => Buffer.concat([honest(), Buffer.from('more')]),
    told: 'not a whole zip file',
  },
  { what: 'an archive in parts', bytes: () => rawZip([manifestEntry], { disk: 1 }), told: 'multi-disk' },
  {
    what: 'a zip64 end that leads nowhere',
    bytes: () => rawZip([manifestEntry], { between: zip64Record }),
    told: /It is not a whole zip file|There is something between/,
  },
  {
    what: 'a zip64 file that is whole',
    bytes: () => rawZip([manifestEntry], { zip64: true }),
    told: 'There is something between its last entry and its end: zip64',
  },
  {
    what: 'a zip64 size',
    bytes: () => rawZip([manifestEntry, { name: 'a', declaredBytes: 0xffffffff, extra: zip64Size(2 ** 40) }]),
    told: 'it has 1099511627776 bytes; a file has at most',
  },
  {
    what: 'a zip64 size that is not there',
    bytes: () => rawZip([manifestEntry, { name: 'a', declaredBytes: 0xffffffff }]),
    told: 'it has 4294967295 bytes',
  },
]

function zip64Size(bytes: number): Uint8Array {
  const field = Buffer.alloc(12)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8, 2)
  field.writeBigUInt64LE(BigInt(bytes), 4)
  return field
}

const depends = (path: string) => manifest('demo', `[dependencies]\npackages = ['${path}']\n`)

export const hostilePackages: readonly HostileArchive[] = [
  { what: 'no manifest', bytes: () => rawZip(files('tactics/a.ts')), told: 'There is no lllm.toml at its top' },
  { what: 'a manifest below two folders', bytes: () => rawZip(files('a/b/lllm.toml')), told: 'There is no lllm.toml' },
  {
    what: 'a manifest beside another folder',
    bytes: () => rawZip(files('a/lllm.toml', 'b/x')),
    told: 'There is no lllm.toml',
  },
  { what: 'a manifest that is a folder', bytes: () => rawZip(files('lllm.toml/x')), told: 'There is no lllm.toml' },
  withManifest('a manifest that is no TOML', '[package', /archive\.zip\/lllm\.toml:1:\d+: Invalid TOML/),
  withManifest('a name that leads elsewhere', manifest('../evil'), '[package] name: a name fits'),
  withManifest('a name that is hidden', manifest('.install-x'), '[package] name: a name fits'),
  withManifest('a name that is a device', manifest('nul'), 'The name "nul" is reserved'),
  withManifest('a name that is a folder of Node', manifest('node_modules'), 'The name "node_modules" is reserved'),
  withManifest('a manifest that is too large', `# ${'x'.repeat(70_000)}`, 'at most 65536 are read'),
  withManifest('a manifest that is no text', '\u00ff', /Invalid TOML|not UTF-8/),
  withManifest(
    'a section that leaves the package',
    manifest('demo', '[assets]\npaths = ["../../secrets"]\n'),
    'the path must stay inside the folder of the package',
  ),
  withManifest(
    'a section that is not there',
    manifest('demo', '[assets]\npaths = ["assets/"]\n'),
    '[assets] of the package "demo" names assets/, which is not in it.',
  ),
  withManifest('a dependency outside', depends('../other'), 'leads out of the package'),
  withManifest('a dependency outside by a detour', depends('./a/../../other'), 'leads out of the package'),
  withManifest('a dependency at an absolute path', depends('/etc/x'), '"/etc/x" is absolute'),
  withManifest(
    'a dependency that is not there',
    depends('./lllm_packages/b'),
    'is not in it. Export it with --bundle-deps.',
  ),
  withManifest('a dependency on itself', depends('./'), 'leads back to a package that depends on it'),
  withManifest('a circle of dependencies', depends('./lllm_packages/b'), 'leads back to a package that depends on it', [
    { name: 'lllm_packages/b/lllm.toml', data: manifest('b', "[dependencies]\npackages = ['../../']\n") },
  ]),
  withManifest(
    'a dependency with the name of its package',
    depends('./lllm_packages/b'),
    'two packages of the name "demo"',
    [{ name: 'lllm_packages/b/lllm.toml', data: manifest('demo') }],
  ),
  withManifest(
    'a dependency with a name that is reserved',
    depends('./lllm_packages/b'),
    'The name "con" is reserved',
    [{ name: 'lllm_packages/b/lllm.toml', data: manifest('con') }],
  ),
  withDependencies('two dependencies of one alias', ['./a as x', './b as x'], 'calls two of its dependencies "x"'),
  withDependencies('an alias that is the name of the other', ['./a as b', './b'], 'calls two of its dependencies "b"'),
  withDependencies('an alias that is its own name', ['./a as demo', './b'], '"a" is called "demo" in it, which is the'),
  withDependencies('a dependency on itself by its name', ['demo'], '"demo" depends on itself.'),
  {
    what: 'a chain of packages that no start would take',
    bytes: () => rawZip(chainOf(40)),
    told: 'too many packages that depend on each other: at most 255 packages, 31 deep.',
  },
  {
    what: 'thousands of packages with thousands of paths each',
    bytes: () => {
      const paths = `paths = ${JSON.stringify(Array(60).fill('here'))}`
      const sections = Array.from({ length: 25 }, (_, index) => `[section${index}]\n${paths}\n`).join('')
      return rawZip([...chainOf(3000, sections), ...emptyFiles(3000)])
    },
    told: 'too many packages that depend on each other',
  },
  withFile(
    'folders too deep for a start',
    `tactics/${'a/'.repeat(20)}b.ts`,
    '',
    'Folders nest deeper than 16 levels here.',
  ),
  withFile(
    'a config that is too large',
    'configs/a.yaml',
    `a: ${'x'.repeat(300_000)}`,
    'configs/a.yaml: It has 300003',
  ),
  withFile('a config that is no YAML', 'configs/a.yaml', 'a: [', 'It would stop the next start: configs/a.yaml:1:5: '),
  withFile(
    'a prompt that is not closed',
    'prompts/a.md',
    '---\na: 1',
    'It would stop the next start: prompts/a.md:1:1: ',
  ),
  withFile(
    'a broken config of one that comes along',
    'a/configs/a.yaml',
    '- 1',
    'a/configs/a.yaml: It must be a mapping',
    ['./a'],
  ),
]

function dependsOn(name: string, dependencies: readonly string[], more = ''): string {
  return manifest(name, `${more}[dependencies]\npackages = ${JSON.stringify(dependencies)}\n`)
}

/** A package with the packages `a` and `b` in it. */
function withDependencies(what: string, dependencies: readonly string[], told: string): HostileArchive {
  return withFile(what, 'b/lllm.toml', manifest('b'), told, dependencies)
}

function withFile(
  what: string,
  name: string,
  data: string,
  told: string,
  dependencies: readonly string[] = [],
): HostileArchive {
  return {
    what,
    bytes: () =>
      rawZip([
        { name: 'lllm.toml', data: dependsOn('demo', dependencies) },
        { name: 'a/lllm.toml', data: manifest('a') },
        { name, data },
      ]),
    told,
  }
}

/** Packages that need each other one after the other. */
function chainOf(length: number, more = ''): readonly RawEntry[] {
  return Array.from({ length }, (_, index) => ({
    name: index === 0 ? 'lllm.toml' : `p${index}/lllm.toml`,
    data: dependsOn(
      `p${index}`,
      index + 1 === length ? [] : [index === 0 ? './p1' : `../p${index + 1}`],
      more,
    ).replaceAll('"here"', '"lllm.toml"'),
  }))
}
