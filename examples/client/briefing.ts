import { type InputOf, remoteTactic, Tactic } from 'lllm'
import type Digest from '../authoring/tactics/digest.ts'

// #region remote
export function makeBriefing(url: string) {
  const digest = remoteTactic<typeof Digest>(url, 'digest') // http://research.internal:8080

  return class Briefing extends Tactic({ name: 'briefing', agents: ['editor'], tactics: { digest } }) {
    async call(task: InputOf<typeof Briefing>) {
      const text = await this.tactics.digest({ articles: [task] })
      return (await this.agents.editor.open('brief').receive(text).respond()).content
    }
  }
}
// #endregion

// #region remote-options
export function makeRemote(url: string) {
  return remoteTactic<typeof Digest>(url, 'digest', {
    apiKeyName: 'research', // sent as a bearer token; its value is that of LLLM_API_KEY_RESEARCH
    headers: { 'x-team': 'news' },
    config: 'default',
    budgetUsd: 0.2,
  })
}
// #endregion
