/** A rendering was stopped before it became too much. */
export class LimitError extends Error {}
