// Checked by `tsc`, never run: what an author of tactics is told by the compiler.
import { z } from 'zod'
import type { TacticClass } from '../src/domain/tactic.ts'
import { type GivenTo, type InputOf, type OutputOf, Tactic } from '../src/index.ts'
import { BaseWritingTactic } from '../tactics/_base-writing.ts'
import BlogPostTactic from '../tactics/blog-post.ts'
import CodeReviewTactic from '../tactics/code-review.ts'
import PipelineTactic from '../tactics/pipeline.ts'
import ResearchTactic from '../tactics/researcher.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}
const register = (_tactic: TacticClass) => {}

// Text in and text out, unless schemas say otherwise. A default belongs to what is received, not to what has to be sent.
same<InputOf<typeof ResearchTactic>, string>(true)
same<OutputOf<typeof ResearchTactic>, string>(true)
same<InputOf<typeof CodeReviewTactic>['language'], string>(true)
same<GivenTo<typeof CodeReviewTactic>['language'], string | undefined>(true)
same<OutputOf<typeof CodeReviewTactic>['verdict'], 'approve' | 'comment' | 'request_changes'>(true)

class Probe extends PipelineTactic.extend({
  name: 'probe',
  agents: ['critic'],
  tactics: { review: CodeReviewTactic },
}) {
  override async call(task: InputOf<typeof Probe>) {
    void this.agents.critic // its own
    void this.agents.coordinator // its parent's
    // @ts-expect-error a misspelt agent
    void this.agents.cirtic
    // @ts-expect-error an agent of a sub-tactic belongs to the sub-tactic
    void this.agents.finder

    const facts = await this.tactics.researcher(task)
    same<typeof facts, string>(true)
    const { verdict } = await this.tactics.review({ code: facts })
    same<typeof verdict, 'approve' | 'comment' | 'request_changes'>(true)
    // @ts-expect-error a misspelt sub-tactic
    void this.tactics.reseacher
    // @ts-expect-error the task of a sub-tactic is checked
    void this.tactics.review({ cod: facts })
    // @ts-expect-error the task of a sub-tactic is checked
    void this.tactics.researcher(42)
    return super.call(task)
  }
}

class WrongTask extends Tactic({ name: 'wrong_task', input: z.object({ topic: z.string() }) }) {
  // @ts-expect-error the task is an object with a topic, not a number
  async call(task: number) {
    return String(task)
  }
}

class WrongResult extends Tactic({ name: 'wrong_result', output: z.object({ text: z.string() }) }) {
  // @ts-expect-error `txt` is not `text`
  async call() {
    return { txt: '' }
  }
}

class WrongVariant extends ResearchTactic.extend({ name: 'wrong_variant' }) {
  // @ts-expect-error a variant keeps the result of its parent
  override async call() {
    return 42
  }
}

// @ts-expect-error `call` is missing
class Callless extends Tactic({ name: 'callless', agents: ['writer'] }) {}

abstract class Steps extends Tactic({ agents: ['writer'] }) {
  protected abstract opening(task: string): string

  async call(task: InputOf<typeof Steps>) {
    return this.opening(task)
  }
}

// @ts-expect-error the step that every variant has to fill in is missing
class Unfinished extends Steps.extend({ name: 'unfinished' }) {}

// @ts-expect-error an example that is no task
class WrongExample extends Tactic({ name: 'wrong_example', examples: [42] }) {
  async call() {
    return ''
  }
}

register(BlogPostTactic)
// @ts-expect-error a shared base is abstract: nobody can call it
register(BaseWritingTactic)
// @ts-expect-error what Tactic() makes is a base, not a tactic
register(Tactic({ name: 'base' }))

// @ts-expect-error nor can a shared base be a sub-tactic
class WrongPart extends Tactic({ name: 'wrong_part', tactics: { base: BaseWritingTactic } }) {
  async call() {
    return ''
  }
}

void [Probe, WrongTask, WrongResult, WrongVariant, Callless, Unfinished, WrongExample, WrongPart]

// A base that is concrete has no name either: it is shared code, and nobody can call it.
class Nameless extends Tactic({ agents: ['writer'] }) {
  call = async (task: string) => task
}
// @ts-expect-error a tactic without a name cannot be registered
const namelessClass: TacticClass = Nameless
class Holder extends Tactic({
  name: 'holder',
  // @ts-expect-error nor be a sub-tactic
  tactics: { nameless: Nameless },
}) {
  call = async (task: string) => task
}
// A variant of it that has a name is a tactic.
class Named extends Nameless.extend({ name: 'named' }) {}
const namedClass: TacticClass = Named
void [namelessClass, Holder, namedClass]
