/**
 * A slow and obvious evaluator, written from rules.md and not from the engine: it goes over all events for each leaf and knows nothing
 * of `until`. `changesOf` gives the instants at which anything can change, so that the true `until` is found by trying each.
 */
import type { Condition, EventSelector, Operators, Window } from "../../../shared/condition.ts";
import type { Subject, Truth } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { bucket } from "../../../shared/hash.ts";

type Json = { [key: string]: unknown };

/** What the condition's value is at `now`, by definition. `zoneOffsetMs` stands in for a site zone of fixed offset. */
export function oracle(condition: Condition, subject: Subject, now: number, zoneOffsetMs = 0): Truth {
  const c = condition as Json;
  const inner = (child: unknown) => oracle(child as Condition, subject, now, zoneOffsetMs);
  if (Array.isArray(c["all"])) return kleene(c["all"].map(inner), false);
  if (Array.isArray(c["any"])) return kleene(c["any"].map(inner), true);
  if (typeof c["not"] === "object") {
    const value = inner(c["not"]);
    return value === "unknown" ? value : !value;
  }

  const granted = (purpose: "analytics" | "personalization") => !subject.consent || subject.consent.includes(purpose);
  if (JSON.stringify(without(c, "date")).includes('"trait":"') && !granted("personalization")) return "unknown";
  const isEventFamily = "event" in c || "type" in c || "sequence" in c || "ratio" in c;
  if (isEventFamily && !granted("analytics")) return "unknown";

  if ("trait" in c) return satisfies(at(subject.traits, c["trait"] as string), without(c, "trait"), subject, now);
  if ("context" in c)
    return satisfies(at(subject.context, c["context"] as string), without(c, "context"), subject, now);
  if ("segment" in c) {
    if (!granted("personalization")) return "unknown";
    const answer = subject.segments?.[c["segment"] as string];
    if (!answer || answer.value === "unknown" || (answer.until !== null && answer.until <= now)) return "unknown";
    return answer.value;
  }
  if ("sample" in c) {
    const { seed, from, to } = c["sample"] as { seed: string; from: number; to: number };
    if (subject.id === undefined) return "unknown";
    const share = bucket(seed, subject.id);
    return share >= from && share < to;
  }

  const happened = (selector: EventSelector, window: Window) =>
    subject.events.filter((event) => matches(event, selector, subject, now) && inWindow(event.timestamp, window, now));
  if ("sequence" in c) {
    const gap = c["gap"] === undefined ? Infinity : ms(c["gap"] as string);
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
    const days = new Set(events.map(({ timestamp }) => Math.floor((timestamp + zoneOffsetMs) / 86_400_000)));
    return satisfies(days.size, c["days"] as Operators, subject, now);
  }
  if ("recency" in c) {
    if (events.length === 0) return false;
    const ago = now - Math.max(...events.map(({ timestamp }) => timestamp));
    return Object.entries(c["recency"] as Json).every(([operator, length]) =>
      operator === "gt"
        ? ago > ms(length as string)
        : operator === "gte"
          ? ago >= ms(length as string)
          : operator === "lt"
            ? ago < ms(length as string)
            : ago <= ms(length as string),
    );
  }
  for (const kind of ["sum", "avg", "min", "max", "distinct", "first", "last"]) {
    if (!(kind in c)) continue;
    const values = events
      .map(({ properties }) => at(properties, c[kind] as string))
      .filter((value) => value !== undefined);
    const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value)) as number[];
    const total = numbers.reduce((sum, number) => sum + number, 0);
    const result = {
      sum: total,
      avg: numbers.length ? total / numbers.length : undefined,
      min: numbers.length ? Math.min(...numbers) : undefined,
      max: numbers.length ? Math.max(...numbers) : undefined,
      distinct: new Set(values.filter((value) => value === null || typeof value !== "object")).size,
      first: values[0],
      last: values.at(-1),
    }[kind];
    const own = `event type where within between after before ${kind}`;
    return satisfies(result, without(c, own), subject, now);
  }
  return satisfies(events.length, (c["count"] as Operators | undefined) ?? { gte: 1 }, subject, now);
}

/** Every instant after `now` at which a part of the condition may change: each event's time and each date, plus each length, and 1 ms more. */
export function changesOf(condition: Condition, subject: Subject, now: number): number[] {
  const lengths = [...JSON.stringify(condition).matchAll(/"-?(\d+[smhdw])"/g)].map(([, length]) => ms(length!));
  const dates = [...JSON.stringify(subject).matchAll(/"(\d{4}-\d\d-\d\d[^"]*)"/g)].map(([, date]) => Date.parse(date!));
  const untils = Object.values(subject.segments ?? {}).flatMap(({ until }) => until ?? []);
  const starts = [...subject.events.map(({ timestamp }) => timestamp), ...dates];
  const instants = starts.flatMap((start) => [0, ...lengths].flatMap((length) => [start + length, start + length + 1]));
  return [...new Set([...instants, ...untils])].filter((instant) => instant > now).sort((a, b) => a - b);
}

function kleene(values: Truth[], decisive: boolean): Truth {
  if (values.includes(decisive)) return decisive;
  return values.includes("unknown") ? "unknown" : !decisive;
}

function matches(event: HistoryEvent, selector: EventSelector, subject: Subject, now: number): boolean {
  if (event.type !== (selector.type ?? "track")) return false;
  if (selector.event !== undefined && event.event !== selector.event) return false;
  return Object.entries(selector.where ?? {}).every(([path, operators]) =>
    satisfies(at(event.properties, path), operators, subject, now),
  );
}

function inWindow(timestamp: number, { within, between, after, before }: Window, now: number): boolean {
  if (timestamp > now) return false;
  if (within !== undefined && !(timestamp > now - ms(within))) return false;
  if (between && !(timestamp > now - ms(between[1]) && timestamp <= now - ms(between[0]))) return false;
  if (after !== undefined && !(timestamp >= Date.parse(after))) return false;
  return before === undefined || timestamp < Date.parse(before);
}

function satisfies(value: unknown, operators: Json | Operators, subject: Subject, now: number): boolean {
  return Object.entries(operators).every(([operator, written]) => {
    const own = (operand: unknown) =>
      typeof operand === "object" && operand !== null && "trait" in operand
        ? at(subject.traits, operand.trait as string)
        : operand;
    const operand = Array.isArray(written) ? written.map(own) : own(written);
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
        return order(value, operand) > 0;
      case "gte":
        return order(value, operand) >= 0;
      case "lt":
        return order(value, operand) < 0;
      case "lte":
        return order(value, operand) <= 0;
      case "before":
        return date(value) < date(operand);
      case "after":
        return date(value) > date(operand);
      case "within":
        return date(value) <= now && date(value) > now - ms(operand as string);
      case "contains":
        if (Array.isArray(value)) return value.some((element) => isEqual(element, operand));
        return typeof value === "string" && typeof operand === "string" && value.indexOf(operand) >= 0;
      case "startsWith":
        return typeof value === "string" && typeof operand === "string" && value.slice(0, operand.length) === operand;
      case "endsWith":
        return (
          typeof value === "string" &&
          typeof operand === "string" &&
          value.length >= operand.length &&
          value.slice(value.length - operand.length) === operand
        );
      case "like": {
        const pattern = (operand as string)
          .split("*")
          .map((piece) => piece.replace(/[^\w]/g, "\\$&"))
          .join("[^]*");
        return typeof value === "string" && new RegExp(`^${pattern}$`).test(value);
      }
      case "any":
        return Array.isArray(value) && value.some((element) => satisfies(element, operand as Json, subject, now));
      case "all":
        return Array.isArray(value) && value.every((element) => satisfies(element, operand as Json, subject, now));
      default:
        throw new Error(`the oracle does not know ${operator}`);
    }
  });
}

const isEqual = (a: unknown, b: unknown) => a === b && a !== undefined && (a === null || typeof a !== "object");

function order(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return date(a) - date(b);
}

const date = (value: unknown) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;

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

function ms(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[duration.at(-1) as "s"];
  return Number(duration.slice(0, -1)) * unit * 1000;
}
