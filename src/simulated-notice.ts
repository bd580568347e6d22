/** For whoever takes made-up replies for real ones. */
export const simulatedNotice =
  'No OPENAI_API_KEY and no OPENAI_BASE_URL: replies are made up by the simulated model, and cost nothing.'
