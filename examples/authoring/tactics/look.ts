import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'

const Description = z.object({ caption: z.string(), objects: z.array(z.string()) })

export default class Look extends Tactic({
  name: 'look',
  description: 'Describes a picture.',
  agents: ['viewer'],
  input: z.object({ image_url: z.url({ protocol: /^https$/ }) }),
  output: Description,
}) {
  async call({ image_url: url }: InputOf<typeof Look>) {
    const { viewer } = this.agents
    viewer.open('look').receiveImage({ url }, 'Describe this picture, and list the objects in it.')
    return viewer.respondAs(Description)
  }
}
