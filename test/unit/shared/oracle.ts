/**
 * A slow and obvious evaluator, written from the documented semantics and not from the engine: it goes over all events for each leaf and
 * knows nothing of `until`. `changesOf` gives the instants at which anything can change, so that the true `until` is found by trying each.
 */
import type { Condition, EventSelector, Operators, Window } from "../../../shared/condition.ts";
import type { Rule, Subject, Truth } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { bucket } from "../../../shared/hash.ts";
import { dateOf, exactSum, firstInstantOf, instantOf, marksOf, wallOf } from "./oracle-values.ts";

type Json = { [key: string]: unknown };

/** Of whom and of what site a question is. */
export interface Setting {
  subject: Subject;
  timeZone: string;
  /** What `{segment}` can refer to. */
  rules: readonly Rule[];
}

/** What the condition's value is at `now`, by definition. */
export function oracle(condition: Condition, setting: Setting, now: number): Truth {
  const { subject, timeZone, rules } = setting;
  const c = condition as Json;
  const inner = (child: unknown) => oracle(child as Condition, setting, now);
  if (Array.isArray(c["all"])) return kleene(c["all"].map(inner), false);
  if (Array.isArray(c["any"])) return kleene(c["any"].map(inner), true);
  if ("not" in c) {
    const value = inner(c["not"]);
    return value === "unknown" ? value : !value;
  }

  const granted = (purpose: "analytics" | "personalization") => !subject.consent || subject.consent.includes(purpose);
  const isEventFamily = "event" in c || "type" in c || "sequence" in c || "ratio" in c;
  if (isEventFamily && !granted("analytics")) return "unknown";
  if (!granted("personalization") && ("segment" in c || mentionsTrait(c))) return "unknown";

  if ("trait" in c) return satisfies(at(subject.traits, c["trait"] as string), without(c, "trait"), subject, now);
  if ("context" in c)
    return satisfies(at(subject.context, c["context"] as string), without(c, "context"), subject, now);
  if ("segment" in c) {
    const rule = rules.find(({ key }) => key === c["segment"]);
    if (rule)
      return oracle(rule.condition, { ...setting, rules: rules.map((one) => (one === rule ? opened(one) : one)) }, now);
    if (!subject.segments || !Object.hasOwn(subject.segments, c["segment"] as string)) return "unknown";
    const { value, until } = subject.segments[c["segment"] as string]!;
    return until === null || until > now ? value : "unknown";
  }
  if ("sample" in c) {
    const { seed, from, to } = c["sample"] as { seed: string; from: number; to: number };
    if (subject.id === undefined) return "unknown";
    const share = bucket(seed, subject.id);
    return share >= from && share < to;
  }
  if ("time" in c) {
    const { weekday, from = "00:00", to = "24:00", zone = "site" } = c["time"] as { [key: string]: never };
    const name = zone === "site" ? siteZone(timeZone) : zone === "visitor" ? at(subject.context, "timezone") : zone;
    const shown = typeof name === "string" ? wallOf(name, now) : undefined;
    if (!shown) return "unknown";
    if (weekday && !(weekday as string[]).includes(shown.weekday)) return false;
    return from < to ? from <= shown.clock && shown.clock < to : from <= shown.clock || shown.clock < to;
  }
  if ("date" in c) return isNear(c, setting, now);

  const happened = (selector: EventSelector, window: Window) =>
    eventsOf(subject).filter((event) => matches(event, selector, subject, now) && inWindow(event, window, now));
  if ("sequence" in c) {
    const gap = c["gap"] === undefined ? Infinity : ms(c["gap"]);
    const window = c["within"] === undefined ? {} : { within: c["within"] as string };
    const steps = (c["sequence"] as EventSelector[]).map((selector) => happened(selector, window));
    const goesOn = (step: number, last: number): boolean =>
      step === steps.length ||
      steps[step]!.some(
        ({ timestamp }) => (step === 0 || (timestamp > last && timestamp - last <= gap)) && goesOn(step + 1, timestamp),
      );
    return goesOn(0, 0);
  }
  if ("ratio" in c) {
    const [some, all] = (c["ratio"] as EventSelector[]).map((selector) => happened(selector, c as Window).length) as [
      number,
      number,
    ];
    if (all === 0 || all < ((c["min"] as number | undefined) ?? 0)) return false;
    return satisfies(some / all, without(c, "ratio min within between after before"), subject, now);
  }
  if ("unless" in c) {
    const { unless, after, within, ...selector } = c as unknown as {
      unless: EventSelector & { same?: string[] };
      after: string;
      within?: string;
    } & EventSelector;
    const answers = happened(unless, {});
    return happened(selector, within ? { within } : {}).some(
      (event) =>
        now - event.timestamp >= ms(after) &&
        !answers.some(
          (answer) =>
            answer.timestamp > event.timestamp &&
            (unless.same ?? []).every((path) => isEqual(at(event.properties, path), at(answer.properties, path))),
        ),
    );
  }

  const events = happened(c as EventSelector, c as Window);
  if ("days" in c) {
    const days = new Set(events.map(({ timestamp }) => siteDate(timeZone, timestamp)));
    return satisfies(days.size, c["days"] as Operators, subject, now);
  }
  if ("recency" in c) {
    if (events.length === 0) return false;
    const ago = now - Math.max(...events.map(({ timestamp }) => timestamp));
    return Object.entries(c["recency"] as Json).every(([operator, length]) => compare(operator, ago, ms(length)));
  }
  for (const kind of ["sum", "avg", "min", "max", "distinct", "first", "last"]) {
    if (!(kind in c)) continue;
    const values = events
      .map(({ properties }) => at(properties, c[kind] as string))
      .filter((value) => value !== undefined);
    const numbers = values.filter((value) => Number.isFinite(value)) as number[];
    const result = {
      sum: () => exactSum(numbers),
      avg: () => (numbers.length ? exactSum(numbers) / numbers.length : undefined),
      min: () => (numbers.length ? Math.min(...numbers) : undefined),
      max: () => (numbers.length ? Math.max(...numbers) : undefined),
      distinct: () => new Set(values.filter(isScalar)).size,
      first: () => values[0],
      last: () => values.at(-1),
    }[kind]!();
    const own = `event type where within between after before ${kind}`;
    return satisfies(result, without(c, own), subject, now);
  }
  return satisfies(events.length, (c["count"] as Operators | undefined) ?? { gte: 1 }, subject, now);
}

/**
 * In any order, every instant after `now` at which a condition or a rule it refers to may change: each event's time and each date, plus and minus each
 * length, and 1 ms more; the end of each answer that came along; each mark that a wall clock passes in the coming nine days.
 */
export function changesOf({ subject, timeZone, rules }: Setting, now: number): number[] {
  const conditions = JSON.stringify(rules);
  const lengths = [...new Set(conditions.match(/"-?\d+[smhdw]"/g))].map((length) => ms(JSON.parse(length)));
  const instants = eventsOf(subject).map(({ timestamp }) => timestamp);
  instants.push(...datesIn(subject).map(instantOf));
  if (conditions.includes('"date":')) {
    const days = datesIn(subject.traits).flatMap((date) => [date.slice(0, 10), ...anniversariesOf(date, now)]);
    for (const day of new Set(days)) {
      for (const edge of [day, dayAfter(day)]) instants.push(firstInstantOf(siteZone(timeZone), edge));
    }
  }
  const changes = Object.values(subject.segments ?? {}).flatMap(({ until }) => until ?? []);
  for (const instant of instants) {
    for (const length of [0, ...lengths]) changes.push(instant + length, instant + length + 1, instant - length);
  }
  if (conditions.includes('"time":')) {
    const clocks = [...new Set(conditions.match(/\d\d:\d\d(?=")/g)), "00:00"];
    const named = [...conditions.matchAll(/"zone":"([^"]+)"/g)].map(([, zone]) => zone!);
    for (const zone of new Set([siteZone(timeZone), String(at(subject.context, "timezone")), ...named]))
      changes.push(...marksOf(zone, clocks, now));
  }
  return changes.filter((instant) => instant > now);
}

/** Each date that is anywhere in a value, as it is written. */
const datesIn = (value: unknown): string[] =>
  [...new Set(JSON.stringify(value).match(/\d{4}-\d\d-\d\d[^"]*(?=")/g))].filter((date) => instantOf(date) > -Infinity);

/** A rule that is being asked: where it leads back to itself it is unknown. */
const opened = ({ key }: Rule): Rule => ({ key, condition: { sample: { seed: "", from: 0, to: 0 } } });

/** What can count at all: it has a name and a time, which is a whole millisecond. */
function eventsOf({ events }: Subject): HistoryEvent[] {
  return events.flatMap((event) =>
    typeof event.event === "string" && Number.isFinite(event.timestamp)
      ? { ...event, timestamp: Math.floor(event.timestamp) }
      : [],
  );
}

/** The site's zone; UTC where its setting is none. */
const siteZone = (zone: string) => (wallOf(zone, 0) ? zone : "UTC");
const siteDate = (zone: string, instant: number) => wallOf(siteZone(zone), instant)!.date;

/** A date leaf: `[now, now + length]`, or `[now - length, now]` where it looks back, meets the day, or has the instant in it. */
function isNear(c: Json, { subject, timeZone }: Setting, now: number): boolean {
  const value = at(subject.traits, (c["date"] as { trait: string }).trait);
  const written = c["within"] as string;
  const back = written.startsWith("-");
  const length = ms(written);
  const instant = instantOf(value);
  if (Number.isNaN(instant)) return false;
  const [from, to] = back ? [now - length, now] : [now, now + length];
  const meets = (day: string) => siteDate(timeZone, from) <= day && day <= siteDate(timeZone, to);
  if (c["anniversary"]) return anniversariesOf(value as string, now).some(meets);
  if ((value as string).length === 10) return meets(value as string);
  return from < instant && instant <= to;
}

/** The date's returns in the years around `now`, and its first, the 29th of February on the 28th where there is none. */
function anniversariesOf(date: string, now: number): string[] {
  const around = new Date(now).getUTCFullYear();
  const born = Number(date.slice(0, 4));
  return [around - 3, around - 2, around - 1, around, around + 1, around + 2, around + 3, born + 1, born + 2]
    .filter((year) => year > born)
    .map((year) => `${year}${date.slice(4, 10)}`)
    .map((day) => (Number.isNaN(dateOf(day)) ? day.replace("-02-29", "-02-28") : day));
}

const dayAfter = (day: string) => new Date(dateOf(day) + 86_400_000).toISOString().slice(0, 10);

function kleene(values: Truth[], decisive: boolean): Truth {
  if (values.includes(decisive)) return decisive;
  return values.includes("unknown") ? "unknown" : !decisive;
}

/** True where a trait is asked about or compared with. */
function mentionsTrait(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (
    (!Array.isArray(value) && typeof (value as Json)["trait"] === "string") || Object.values(value).some(mentionsTrait)
  );
}

function matches(event: HistoryEvent, selector: EventSelector, subject: Subject, now: number): boolean {
  if (event.type !== (selector.type ?? "track")) return false;
  if (selector.event !== undefined && event.event !== selector.event) return false;
  return Object.entries(selector.where ?? {}).every(([path, operators]) =>
    satisfies(at(event.properties, path), operators, subject, now),
  );
}

function inWindow({ timestamp }: HistoryEvent, { within, between, after, before }: Window, now: number): boolean {
  if (timestamp > now) return false;
  if (within !== undefined && !(timestamp > now - ms(within))) return false;
  if (between && !(timestamp > now - ms(between[1]) && timestamp <= now - ms(between[0]))) return false;
  if (after !== undefined && !(timestamp >= instantOf(after))) return false;
  return before === undefined || timestamp < instantOf(before);
}

/** @param compareTo how values are ordered: numbers and dates, unless something else is made of them. */
function satisfies(
  value: unknown,
  operators: Json | Operators,
  subject: Subject,
  now: number,
  compareTo = compareValues,
): boolean {
  return Object.entries(operators).every(([operator, written]) => {
    const own = (operand: unknown) =>
      typeof operand === "object" && operand !== null && "trait" in operand
        ? at(subject.traits, operand.trait as string)
        : operand;
    const operand = Array.isArray(written) ? written.map(own) : own(written);
    const texts = typeof value === "string" && typeof operand === "string";
    switch (operator) {
      case "exists":
        return (value !== undefined) === operand;
      case "eq":
        return isEqual(value, operand);
      case "ne":
        return !isEqual(value, operand);
      case "in":
        return (operand as unknown[]).some((one) => isEqual(value, one));
      case "nin":
        return !(operand as unknown[]).some((one) => isEqual(value, one));
      case "gt":
      case "gte":
      case "lt":
      case "lte":
        return compare(operator, compareTo(value, operand), 0);
      case "before":
        return instantOf(value) < instantOf(operand);
      case "after":
        return instantOf(value) > instantOf(operand);
      case "within":
        return instantOf(value) <= now && instantOf(value) > now - ms(operand);
      case "contains":
        if (Array.isArray(value)) return value.some((element) => isEqual(element, operand));
        return texts && value.indexOf(operand) >= 0;
      case "startsWith":
        return texts && value.slice(0, operand.length) === operand;
      case "endsWith":
        return texts && value.length >= operand.length && value.slice(value.length - operand.length) === operand;
      case "like":
        return texts && fits(value, operand);
      case "any":
        return Array.isArray(value) && value.some((element) => satisfies(element, operand as Json, subject, now));
      case "all":
        return Array.isArray(value) && value.every((element) => satisfies(element, operand as Json, subject, now));
      case "none":
        return !(operand as Json[]).some((one) => satisfies(value, one, subject, now));
      case "where":
        return Object.entries(operand as Json).every(([path, inner]) =>
          satisfies(at(value, path), inner as Json, subject, now),
        );
      case "isA":
        return [operand].flat().includes(value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
      case "size":
        return Array.isArray(value) && satisfies(value.length, operand as Json, subject, now);
      case "number": {
        const number = value === undefined ? Number.NaN : numberOf(value);
        return !Number.isNaN(number) && satisfies(number, operand as Json, subject, now);
      }
      case "text": {
        const text = value === undefined ? undefined : textOf(value);
        return text !== undefined && satisfies(text, operand as Json, subject, now, compareTexts);
      }
      case "lower":
        return typeof value === "string" && satisfies(value.toLowerCase(), operand as Json, subject, now, compareTexts);
      case "version":
        return Object.entries(operand as Json).every(([key, other]) => {
          const away = compareVersions(value, own(other));
          if (versionOf(value) === undefined) return false;
          if (key === "eq") return away === 0;
          return key === "ne" ? away !== 0 : compare(key, away, 0);
        });
      default:
        throw new Error(`the oracle does not know ${operator}`);
    }
  });
}

/** Takes piece after piece wherever it can stand: the places at which the text so far may end, ascending. */
function fits(text: string, pattern: string): boolean {
  const places = Array.from({ length: text.length + 1 }, (_, place) => place);
  const [first, ...pieces] = pattern.split("*") as [string, ...string[]];
  const after = (open: number[], piece: string) =>
    open.filter((place) => text.startsWith(piece, place)).map((place) => place + piece.length);
  let ends = after([0], first);
  for (const piece of pieces) {
    const [from = Infinity] = ends;
    ends = after(
      places.filter((place) => place >= from),
      piece,
    );
  }
  return ends.includes(text.length);
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a !== "number" || typeof b !== "number") return instantOf(a) - instantOf(b);
  return a > b ? 1 : a < b ? -1 : a === b ? 0 : Number.NaN;
}

function compareTexts(a: unknown, b: unknown): number {
  if (typeof a !== "string" || typeof b !== "string") return Number.NaN;
  return a > b ? 1 : a < b ? -1 : 0;
}

/** Part by part, numbers of up to five digits before words; of two of which one begins with the other, the shorter first; a release after its pre-releases. */
function compareVersions(a: unknown, b: unknown): number {
  const [left, right] = [versionOf(a), versionOf(b)];
  if (!left || !right) return Number.NaN;
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [one, other] = [left[i], right[i]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    if (one === other) continue;
    if (typeof one === typeof other) return one > other ? 1 : -1;
    return typeof one === "number" ? -1 : 1;
  }
  return 0;
}

function versionOf(value: unknown): (string | number)[] | undefined {
  const written = typeof value === "number" ? String(value) : value;
  if (typeof written !== "string" || written === "") return undefined;
  const parts = written
    .replace(/^v/, "")
    .replace(/\+.*$/, "")
    .split(/[-.]/)
    .map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : part));
  return parts.length === 3 ? [...parts, "~"] : parts;
}

/** What `Number()` makes of it; NaN where that throws. */
function numberOf(value: unknown): number {
  return typeof value === "object" && value !== null ? Number(textOf(value)) : Number(value as string);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((element) => (element == null ? "" : textOf(element))).join(",");
  return typeof value === "object" && value !== null ? "[object Object]" : String(value);
}

/** False where one of the two is NaN. */
function compare(operator: string, a: number, b: number): boolean {
  if (operator === "gt") return a > b;
  if (operator === "gte") return a >= b;
  return operator === "lt" ? a < b : a <= b;
}

const isScalar = (value: unknown) =>
  value === null || (["string", "number", "boolean"].includes(typeof value) && !Number.isNaN(value));

const isEqual = (a: unknown, b: unknown) => a === b && isScalar(a);

function at(root: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Json)[key] : undefined,
      root,
    );
}

function without(object: object, keys: string): Json {
  const own = keys.split(" ");
  return Object.fromEntries(Object.entries(object).filter(([key]) => !own.includes(key)));
}

/** The length of a duration, whichever way it looks. */
function ms(duration: unknown): number {
  const written = String(duration).replace("-", "");
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[written.at(-1) as "s"];
  return Number(written.slice(0, -1)) * unit * 1000;
}
