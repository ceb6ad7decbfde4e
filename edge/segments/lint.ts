/**
 * What is allowed and probably not meant: conditions that nobody or everybody matches, and parts that change nothing. What it says of
 * truth is proven, for every person and from `now` on; it does not find everything.
 */
import type { Condition } from "../../shared/condition.ts";
import { canonical } from "../../shared/engine/compile.ts";
import { describe } from "../../shared/engine/describe.ts";
import { childrenOf } from "../../shared/engine/run.ts";
import { CONDITION_BYTES, CONDITION_DEPTH, CONDITION_NODES } from "../../shared/limits.ts";
import { cut, type Finding } from "./lint/finding.ts";
import { lintLeaf, phraseStatus } from "./lint/leaf.ts";
import { buildRefute, isFalse, isNotFalse, isNotTrue, isTrue, type Refute } from "./lint/refute.ts";

/** So many parts of one group are held against each other. */
const SIBLINGS = 40;
/** Share of a limit from which on it is worth a word. */
const NEAR = 0.9;

type Status = "never" | "always" | undefined;

/** @param now epoch milliseconds: windows that are over by then stay so */
export function lintCondition(condition: Condition, now: number, pointer = ""): Finding[] {
  const findings: Finding[] = [];
  const refutes = buildRefute(now);

  const report = (at: string, status: "never" | "always", detail: string) => {
    const code = status === "never" ? "never-true" : "always-true";
    findings.push({ code, severity: at === pointer && status === "never" ? "error" : "warning", pointer: at, detail });
  };

  const visit = (node: Condition, at: string): Status => {
    const status = refutes(isTrue(node)) ? "never" : refutes(isFalse(node)) ? "always" : undefined;
    const children = childrenOf(node);
    if (children) visitGroup(node, children, at, status);
    else {
      findings.push(...lintLeaf(node, at, now, status !== undefined));
      if (status) report(at, status, phraseStatus(node, status, now));
    }
    return status;
  };

  const visitGroup = (node: Condition, children: readonly Condition[], at: string, status: Status): void => {
    if ("not" in node) return void visit(children[0]!, `${at}/not`);
    const isAll = "all" in node;
    const places = children.map((_, i) => `${at}/${isAll ? "all" : "any"}/${i}`);
    const statuses = children.map((child, i) => visit(child, places[i]!));
    const decisive = isAll ? "never" : "always";
    const isExplained =
      status === decisive ? statuses.includes(status) : children.length > 0 && statuses.every((one) => one === status);
    if (status && !isExplained) report(at, status, phraseGroup(isAll, children, status, refutes));
    if (status || children.length > SIBLINGS) return;
    const kept = children.map((child, i) => ({ child, place: places[i]! })).filter((_, i) => !statuses[i]);
    for (const one of kept.toReversed()) {
      const rest = kept.filter((other) => other !== one).map(({ child }) => child);
      if (!rest.length || !changesNothing(one.child, rest, isAll, refutes)) continue;
      kept.splice(kept.indexOf(one), 1);
      const cause = rest.find((other) => changesNothing(one.child, [other], isAll, refutes));
      const because = cause ? quote(cause) : "what stands beside it";
      const detail = `${quote(one.child)} changes nothing beside ${because}. Leave it out, or say what was meant.`;
      findings.push({ code: "redundant", severity: "hint", pointer: one.place, detail });
    }
  };

  const status = visit(condition, pointer);
  if (status && !findings.some((finding) => finding.pointer === pointer))
    report(pointer, status, `${status === "never" ? "Nobody" : "Everybody of whom it is known"} matches this.`);
  return [...findings, ...lintLimits(condition, pointer)];
}

/** The group has the same value, unknown included, with the part and without it. */
function changesNothing(part: Condition, rest: readonly Condition[], isAll: boolean, refutes: Refute): boolean {
  if (rest.some((other) => canonical(other) === canonical(part))) return true;
  return isAll
    ? refutes(isNotTrue(part), ...rest.map(isTrue)) && refutes(isFalse(part), ...rest.map(isNotFalse))
    : refutes(isNotFalse(part), ...rest.map(isFalse)) && refutes(isTrue(part), ...rest.map(isNotTrue));
}

/** Why a group of which no part says it is never true, or always. */
function phraseGroup(
  isAll: boolean,
  children: readonly Condition[],
  status: "never" | "always",
  refutes: Refute,
): string {
  if (children.length === 0) {
    const whom = status === "never" ? "nobody" : "everybody";
    return `An empty ${isAll ? "all" : "any"} holds for ${whom}. Put conditions into it, or leave it out.`;
  }
  const pairs = children.flatMap((one, i) => children.slice(i + 1).map((other) => [one, other] as const));
  const pair = pairs.find((pair) => refutes(...pair.map(isAll ? isTrue : isFalse)));
  const parts = pair ? `${quote(pair[0])} and ${quote(pair[1])}` : "these parts";
  return isAll
    ? `Nobody matches, since ${parts} exclude each other. Change one of them, or use any.`
    : `Everybody matches, since one of ${parts} always holds. Change one of them, or use all.`;
}

const quote = (condition: Condition) => `'${cut(describe(condition))}'`;

function lintLimits(condition: Condition, pointer: string): Finding[] {
  const depthOf = (node: Condition): number => 1 + Math.max(0, ...(childrenOf(node) ?? []).map(depthOf));
  const nodesOf = (node: Condition): number => (childrenOf(node) ?? []).reduce((sum, child) => sum + nodesOf(child), 1);
  const bytes = new TextEncoder().encode(JSON.stringify(condition)).length;
  const measures = [
    [nodesOf(condition), CONDITION_NODES, "conditions"],
    [depthOf(condition), CONDITION_DEPTH, "levels"],
    [bytes, CONDITION_BYTES, "bytes"],
  ] as const;
  return measures.flatMap(([number, limit, noun]): Finding[] => {
    if (number < limit * NEAR) return [];
    const detail = `${number} of at most ${limit} ${noun}. Put a part of it into a segment of its own and refer to that.`;
    return [{ code: "near-limit", severity: "hint", pointer, detail }];
  });
}
