/** Upper bounds of the buckets of durations, in seconds: of calls and requests, which may take the ten minutes of a slow model. */
export const callSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600]

/** Of what a store is asked, which takes from a part of a millisecond to the time after which it counts as failing. */
export const storeSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
