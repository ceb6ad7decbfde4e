/**
 * Where the random suites begin: the same in every ordinary run, so that what passes once passes again. `ATTUNE_SEED=random` draws
 * another, a number replays one.
 */
export const SEED =
  process.env["ATTUNE_SEED"] === "random"
    ? Math.floor(performance.timeOrigin) % 2 ** 31
    : Number(process.env["ATTUNE_SEED"] ?? 20_261_122);
