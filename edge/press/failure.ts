/** What broke where it should not have: its place, not its words, which may be the card's or the template's. */
import { log } from "../log.ts";

export function logFailure(method: string, error: unknown): void {
  const { name, stack = "" } = error instanceof Error ? error : new Error();
  log("error", { press: method, error: name, at: (stack.match(/\n {4}at .*/g) ?? []).join("") });
}
