import { type ErrorCode, errorCodes } from '../domain/errors.ts'
import { problemKinds } from './problem.ts'

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text)
}

/** The page that the `type` of a problem leads to. Its texts are all our own. */
export function renderErrorPage(code: ErrorCode, prefix: string): string {
  const { status, title, retryable } = problemKinds[code]
  const advice = retryable
    ? 'The same request may succeed later.'
    : 'The same request will not succeed: change it first.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<h1>${title}</h1>
<p>${escapeHtml(errorCodes[code])}</p>
<p>${advice}</p>
<dl>
<dt>code</dt><dd><code>${code}</code></dd>
<dt>status</dt><dd>${status}</dd>
<dt>retryable</dt><dd>${retryable ? 'yes' : 'no'}</dd>
</dl>
<p><a href="${escapeHtml(prefix)}/docs/">All routes</a></p>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
