/** Waits, but not for ever: somebody waits for us. */
import type { Env } from "./env.ts";

/** Of a local start: its storage is cold, its machine busy with other things, and nobody leaves for that. */
const LOCAL_FACTOR = 10;

/** How long somebody waits who waits so long in production, milliseconds. */
export const patienceOf = (env: Env, ms: number): number => (env.ATTUNE_LOCAL === "1" ? ms * LOCAL_FACTOR : ms);

/** What the work answers, or null when it takes longer than that. It goes on, and what it answers or throws later nobody hears. */
export async function answerWithin<T>(ms: number, work: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer!);
  }
}
