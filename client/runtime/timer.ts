/** A clock that rings at an instant, however far away it is and whether or not the page slept meanwhile. */

/** setTimeout takes no more than 2³¹ ms, and does not count while the device sleeps or when its clock is set. */
const STEP_MS = 60_000;

export const endOf = (until: string | null): number => (until ? Date.parse(until) : Infinity);
export const holds = (until: string | null): boolean => endOf(until) > Date.now();

/** @returns sets the instant (epoch milliseconds, Infinity for never), replacing the one before. */
export function createTimer(ring: () => void, signal: AbortSignal): (at: number) => void {
  let due = Infinity;
  let timer: ReturnType<typeof setTimeout>;

  const check = () => {
    clearTimeout(timer);
    if (signal.aborted) return;
    if (Date.now() < due) timer = setTimeout(check, Math.min(due - Date.now(), STEP_MS));
    else ring();
  };

  // Timers of hidden and frozen pages are late.
  addEventListener("visibilitychange", check, { signal });
  return (at) => {
    due = at;
    check();
  };
}
