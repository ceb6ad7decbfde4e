/** Kleene logic over nodes: how truth and `until` of the parts make those of the whole. */
import { type Code, type Node, UNKNOWN } from "./run.ts";

/**
 * `all` (decisive = false) or `any` (decisive = true) of nodes.
 *
 * While one child has the decisive value, so has the whole: the answer holds until the *last* of the decisive children may
 * change, whatever the others do. Otherwise each child counts and the answer holds until the *first* of them may change.
 */
export function combine(children: readonly Node[], decisive: 0 | 1): Node {
  if (children.length === 1) return children[0]!;
  const neutral = (1 - decisive) as Code;
  return (run, input) => {
    let value: Code = neutral;
    let first = Infinity;
    let last = -Infinity;
    let decided = false;
    for (const child of children) {
      const code = child(run, input);
      if (code === decisive) {
        if (run.until === Infinity) return code;
        decided = true;
        last = Math.max(last, run.until);
      } else {
        if (code === UNKNOWN) value = code;
        first = Math.min(first, run.until);
      }
    }
    run.until = decided ? last : first;
    return decided ? decisive : value;
  };
}

/** Not: unknown stays unknown. */
export function negate(child: Node): Node {
  return (run, input) => {
    const code = child(run, input);
    return code === UNKNOWN ? code : ((1 - code) as Code);
  };
}
