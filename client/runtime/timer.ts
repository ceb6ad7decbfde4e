/** A clock that rings at an instant, however far away it is and whether or not the page slept meanwhile. */

/** setTimeout takes no more than 2³¹ ms; a shorter step also corrects for a clock that was set. */
const STEP_MS = 3_600_000;

export const endOf = (until: string | null): number => (until ? Date.parse(until) : Infinity);
export const holds = (until: string | null): boolean => endOf(until) > Date.now();

/** @returns sets the instant (epoch milliseconds, Infinity for never), replacing the one before. */
export function createTimer(ring: () => void, signal: AbortSignal): (at: number) => void {
  let due = Infinity;
  let timer: ReturnType<typeof setTimeout>;

  const check = () => {
    clearTimeout(timer);
    const left = due - Date.now();
    if (signal.aborted) return;
    if (left > 0) timer = setTimeout(check, Math.min(left, STEP_MS));
    else {
      due = Infinity;
      ring();
    }
  };

  // Timers of hidden and frozen pages are late.
  addEventListener("visibilitychange", check, { signal });
  addEventListener("pageshow", check, { signal });
  return (at) => {
    due = at;
    check();
  };
}
