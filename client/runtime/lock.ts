/** One tab at a time works on what all of them share. */

/** Of a tab that has gone, its mark is believed for so long. */
const LEASE_MS = 10_000;

/** Plain http has no locks: there a mark in localStorage stands for one. Two at once do no harm: the Worker knows a message by its id. */
async function lease(name: string, work: () => Promise<void>): Promise<void> {
  if (localStorage[name]) await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
  localStorage[name] = 1;
  await work();
  delete localStorage[name];
}

/** Runs `work` when no other tab does; at once in a sandboxed frame: there is nobody to share with. */
export const lock = (name: string, work: () => Promise<void>): Promise<void> =>
  (navigator.locks?.request(name, work) ?? lease(name, work)).catch(work);
