/** The part of a fetch response that the SDK and we use. Its body is read in one way, and once. */
export interface HttpReply {
  readonly status: number
  readonly ok: boolean
  readonly url: string
  readonly headers: HttpHeaders
  readonly body: null
  /**
   * The whole body, 4 MB at the most. Of a refusal it is what can be had.
   * Rejects as `post` of the HTTP client does.
   */
  text(): Promise<string>
  /**
   * What has come of the body since it was last read, as soon as there is something; null at its end. While nobody reads, no
   * more than 64 kB are taken from the socket. Rejects as `post` of the HTTP client does.
   */
  read(): Promise<Buffer | null>
  /** Closes the socket, unless the body has ended. */
  cancel(): void
  /** Wants no more of the body, but leaves it a moment to end, so that the socket can be used again. */
  drain(): void
}

/** Headers of a reply, by lower-case name. */
export class HttpHeaders {
  readonly #headers: Readonly<Record<string, string | readonly string[] | undefined>>

  constructor(headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
    this.#headers = headers
  }

  get(name: string): string | null {
    const value = Object.hasOwn(this.#headers, name) ? this.#headers[name] : undefined
    return typeof value === 'string' ? value : (value?.join(', ') ?? null)
  }

  *entries(): Generator<[string, string]> {
    for (const name of Object.keys(this.#headers)) yield [name, this.get(name) ?? '']
  }
}
