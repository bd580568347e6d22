import { definePrompt, tagParser } from 'lllm'

export const translation = definePrompt({
  template: [
    'Translate the text below. Use this glossary:',
    '{glossary}',
    '',
    'Write the translation as <translation>…</translation>, and each passage',
    'that you are not sure of as <doubt>…</doubt>.',
    '',
    'Text:',
    '{text}',
  ].join('\n'),
  parser: tagParser({ tags: { required: ['translation'], optional: ['doubt'] } }),
})
