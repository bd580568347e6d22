// Checked by `tsc`, never run: what the compiler reads from a template.
import type { ArgsOf, SlotsOf } from '../../src/domain/template.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}

same<SlotsOf<'no slots'>, never>(true)
same<SlotsOf<'{topic} in {count} words. {topic}'>, 'topic' | 'count'>(true)
same<SlotsOf<'{{escaped}} {{{real}}}'>, 'real'>(true)
same<SlotsOf<'{"json": {"key": [1, {}]}, "slot": "{name}"}'>, 'name'>(true)
same<SlotsOf<'{a.b} {a b} {1a} {a/b} {} { x } {é} {_ok1}'>, '_ok1'>(true)
same<SlotsOf<'an open { brace'>, never>(true)
// Where the text is not known before it runs, any names may be given.
same<SlotsOf<string>, string>(true)

same<ArgsOf<'{topic}'>, { readonly topic: string | number | boolean }>(true)

const args: ArgsOf<'{topic} in {count} words'> = { topic: 'bees', count: 5 }
// @ts-expect-error a missing variable
const missing: ArgsOf<'{topic} in {count} words'> = { topic: 'bees' }
// @ts-expect-error a misspelt variable
const misspelt: ArgsOf<'{topic}'> = { topci: 'bees' }
// @ts-expect-error a value that is no text, number or boolean
const object: ArgsOf<'{topic}'> = { topic: { name: 'bees' } }

void [args, missing, misspelt, object]
