/** Advisory locks of PostgreSQL, which are known by numbers alone: each is for one purpose, and no other may have its number. */
export const advisoryLocks = {
  /** Changes the tables. */
  migration: 7_114_001,
  /** Changes what is allocated of budgets. */
  budgets: 7_114_002,
  /** Starts runs. */
  claims: 7_114_003,
  /** Removes what is old. */
  cleaning: 7_114_011,
  /** Sums costs: alone; shared by those who save or delete sessions of the past. */
  costs: 7_114_004,
} as const
