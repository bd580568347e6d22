import type { InputOf } from 'lllm'
import { BaseWritingTactic } from './_base-writing.ts'

/** Made on a shared base, whose helper it calls. */
export default class BlogPostTactic extends BaseWritingTactic.extend({
  name: 'blog_post',
  description: 'Polishes a draft, then works search keywords into it.',
  agents: ['seo_reviewer'],
  examples: ['We moved our service to Node 26. It start faster now and we deleted a lot of build code.'],
}) {
  async call(task: InputOf<typeof BlogPostTactic>) {
    const draft = await this.polish(task)
    const { seo_reviewer: reviewer } = this.agents

    reviewer.open('seo')
    reviewer.receive(`Add SEO keywords to:\n\n${draft}`)
    return (await reviewer.respond()).content
  }
}
