/** The judge's own, because it shares no code with the agent. */
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** The ownership window of a pipeline task. */
export const WINDOW_MS = 15 * MINUTE_MS;
