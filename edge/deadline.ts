/** Waits, but not for ever: somebody waits for us. */
import type { Env } from "./env.ts";

/** Somebody looks at a page, or an e-mail, that waits: after this, storage is not waited for. */
export const DEADLINE_MS = 400;

/** How long somebody waits who waits so long in production, milliseconds. */
export const patienceOf = (env: Env, ms: number): number => ms * Number(env.ATTUNE_PATIENCE ?? 1);

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
