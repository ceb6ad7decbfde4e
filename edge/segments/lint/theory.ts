/** Do claims about one person at one instant exclude each other? "Yes" is certain. */
import type { EventSelector, TimeCondition } from "../../../shared/condition.ts";
import { type WindowBounds, windowBounds } from "../../../shared/engine/look.ts";
import { type Events, eventsIn, isNarrower, type Literal, type Measured } from "./literals.ts";
import { boundsOf, type Claim, claimsOf, fits, isPossible, type Range } from "./values.ts";

type Value = Extract<Literal, { about: "value" }>;

/** How many events there are of a kind in a span. */
interface Count {
  events: Events;
  least: number;
  most: number;
  claims: Claim[];
}

/** @param now epoch milliseconds: what is certain holds from then on */
export function excludes(literals: readonly Literal[], now: number): boolean {
  return factsExclude(literals) || clocksExclude(literals) || valuesExclude(literals) || eventsExclude(literals, now);
}

/** False only where no event can be what the selector asks. */
export function isSelectable({ where = {} }: EventSelector): boolean {
  return Object.values(where).every((operators) => isPossible(claimsOf(operators, true)));
}

function factsExclude(literals: readonly Literal[]): boolean {
  const facts = literals.filter((literal) => literal.about === "fact");
  return facts.some(
    ({ key, sizes, holds }) =>
      holds &&
      facts.some((other) => !other.holds && other.key === key && sizes.every((size, i) => size <= other.sizes[i]!)),
  );
}

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** No minute of the week is right. What a clock shows is one of the same minutes in every zone. */
function clocksExclude(literals: readonly Literal[]): boolean {
  const clocks = literals.filter((literal) => literal.about === "clock");
  return [...new Set(clocks.map(({ key }) => key))].some((zone) => {
    const here = clocks.filter(({ key }) => key === zone);
    // Between these the answers do not change.
    const marks = [0, ...here.flatMap(({ time }) => hoursOf(time).filter((minutes) => minutes < 1_440))];
    return !DAYS.some((day) =>
      marks.some((minutes) => here.every(({ time, holds }) => isAt(time, day, minutes) === holds)),
    );
  });
}

const hoursOf = ({ from = "00:00", to = "24:00" }: TimeCondition["time"]): [number, number] => [
  minutesOf(from),
  minutesOf(to),
];

const minutesOf = (clock: string) => +clock.slice(0, 2) * 60 + +clock.slice(3);

function isAt(time: TimeCondition["time"], day: (typeof DAYS)[number], minutes: number): boolean {
  const [begin, end] = hoursOf(time);
  const inHours = begin < end ? begin <= minutes && minutes < end : begin <= minutes || minutes < end;
  return inHours && (time.weekday?.includes(day) ?? true);
}

/** By what they are about. */
function groupValues(values: readonly Value[]): { range: Range; claims: Claim[]; measured: Measured | undefined }[] {
  const groups = new Map<string, { range: Range; claims: Claim[]; measured: Measured | undefined }>();
  for (const { key, range, claim, measured } of values) {
    const group = groups.get(key) ?? { range, claims: [], measured };
    group.claims.push(claim);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function valuesExclude(literals: readonly Literal[]): boolean {
  const values = literals.filter((literal) => literal.about === "value");
  return groupValues(values).some(({ range, claims }) => !isPossible(claims, range));
}

/** What is measured of events has to agree with how many there are, and these with each other where one kind is a part of another. */
function eventsExclude(literals: readonly Literal[], now: number): boolean {
  const counts = new Map<string, Count>();
  const countOf = (events: Events): Count => {
    const known = counts.get(events.key);
    if (known) return known;
    const isNone = isOver(events.span, now) || !isSelectable(events.selector);
    const made = { events, least: 0, most: isNone ? 0 : Infinity, claims: [] };
    counts.set(events.key, made);
    return made;
  };
  const atLeast = (events: Events, least: number) => {
    const count = countOf(events);
    count.least = Math.max(count.least, least);
  };

  for (const literal of literals) {
    if (literal.about === "fact" && literal.holds) for (const events of literal.some) atLeast(events, 1);
  }
  const groups = groupValues(literals.filter((literal) => literal.about === "value")).filter(
    ({ measured }) => measured,
  );
  for (const { claims, measured } of groups) {
    const { kind, events, none, least = 1 } = measured!;
    const count = countOf(events);
    if (kind === "count") count.claims.push(...claims);
    else if (!fits(none, claims)) count.least = Math.max(count.least, least);
    if (kind === "recency")
      for (const [within, some] of spansOf(claims, events)) {
        if (some) atLeast(within, 1);
        else countOf(within).most = 0;
      }
  }
  for (const count of counts.values()) {
    const bounds = boundsOf(count.claims, count.least, count.most);
    if (!bounds) return true;
    Object.assign(count, bounds);
  }
  spread([...counts.values()]);
  if ([...counts.values()].some(({ claims, least, most }) => !boundsOf(claims, least, most))) return true;
  return groups.some(({ claims, range, measured }) => {
    const { kind, events } = measured!;
    const { least, most } = countOf(events);
    if (kind !== "days" && !kind.startsWith("distinct ")) return false;
    const whole = { ...range, most: Math.min(range.most, most), least: kind === "days" ? Math.min(least, 1) : 0 };
    return !isPossible(claims, whole);
  });
}

/** Of a part there are no more than of the whole. */
function spread(counts: readonly Count[]): void {
  const pairs = counts.flatMap((part) =>
    counts
      .filter((whole) => whole !== part && isWithin(part.events, whole.events))
      .map((whole) => [part, whole] as const),
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const [part, whole] of pairs) {
      if (part.least > whole.least) [whole.least, changed] = [part.least, true];
      if (whole.most < part.most) [part.most, changed] = [whole.most, true];
    }
  }
}

function isWithin(part: Events, whole: Events): boolean {
  const [a, b] = [part.span, whole.span];
  const inside = a.delay >= b.delay && a.length <= b.length && a.first >= b.first && a.last <= b.last;
  return inside && isNarrower(part, whole);
}

/** Nothing will ever be in it again. */
const isOver = ({ delay, length, first, last }: WindowBounds, now: number) =>
  delay >= length || last <= first || last <= now - length;

/** What the time since the last event says of the spans up to now: whether there are any in them. Only where it is not limited otherwise. */
function spansOf(claims: readonly Claim[], { selector, span }: Events): (readonly [Events, boolean])[] {
  const { delay, length, first, last } = span;
  if (delay || first !== -Infinity || last !== Infinity) return [];
  return claims.flatMap(({ operator, operand, holds }) => {
    const within = Math.min(length, (operand as number) + (operator === "gt" || operator === "lte" ? 1 : 0));
    const events = eventsIn(selector, { ...windowBounds({}), length: within });
    if (operator[0] === "l") return [[events, holds] as const];
    return holds ? [[events, false] as const] : [];
  });
}
