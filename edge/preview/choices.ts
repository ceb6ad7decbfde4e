/** What can be chosen on a shared preview without knowing any key: as controls, and as the query that they send. */
import { html, raw } from "hono/html";
import { clockIn } from "../../shared/engine/look.ts";
import { offsetOf, wallToInstant } from "../../shared/engine/zone.ts";
import type { LiveBlock } from "../manifest/slot.ts";
import { DEVICES } from "./context.ts";
import type { BlockAsked, BlockPreview, SharedAsked, Showing } from "./preview.ts";

const YEARS = { from: Date.UTC(1900, 0), to: Date.UTC(2200, 0) };

/** What there is to choose from. */
export interface Choices {
  /** Of the block, the newest first. */
  versions: readonly { version: number; publishedAt: number }[];
  /** One of them is. */
  isLive: boolean;
  /** What people call blocks, by key. */
  names: ReadonlyMap<string, string>;
  people: readonly Somebody[];
}

interface Somebody {
  /** In the query; empty: whom the link was made for. */
  id: string;
  name: string;
  asked: Partial<BlockAsked>;
}

type Html = ReturnType<typeof html>;
type Option = readonly [value: string, text: string];

/** Whom it can be looked at for: nobody of whom the link does not tell. */
export function listPeople({ profile, personas = [] }: SharedAsked): Somebody[] {
  const first = typeof profile === "string" ? "a person of this site" : "a made-up person";
  return [
    { id: "", name: first, asked: {} },
    ...personas.map(({ name, profile }, index) => ({ id: `${index + 1}`, name, asked: { profile } })),
    { id: "nobody", name: "somebody of whom nothing is known", asked: { profile: { traits: {}, events: [] } } },
    { id: "withheld", name: `${first} who allows nothing`, asked: { consent: [] } },
  ];
}

/** @returns the one that the query names, else whom the link was made for */
export function readPerson(query: URLSearchParams, { people }: Choices): Somebody {
  return people.find(({ id }) => id === query.get("person")) ?? people[0]!;
}

/** What a query asks for instead of what the link was made for. What is nothing that could be chosen is as if it were not said. */
export function readChoices(
  query: URLSearchParams,
  request: BlockAsked,
  choices: Choices,
  timeZone: string,
): Partial<BlockAsked> {
  const wall = Date.parse(`${query.get("now")}Z`);
  const isTime = wall >= YEARS.from && wall <= YEARS.to;
  const versions = [request.version, "draft", "live", ...choices.versions.map(({ version }) => version)] as const;
  const version = versions.find((it) => `${it}` === query.get("version"));
  const device = query.get("device");
  const [block, variant] = (query.get("show") ?? "").split("/");
  return {
    ...readPerson(query, choices).asked,
    ...(isTime && { now: wallToInstant(wall, offsetOf(timeZone) ?? (() => 0)) }),
    ...(version !== undefined && { version }),
    ...(device !== null && { device: DEVICES.find((it) => it === device) }),
    ...(query.has("show") && { show: block ? { block, variant: variant || null } : undefined }),
  };
}

/** @param person the id of whom it is looked at for */
export function controls(
  request: BlockAsked,
  asked: BlockAsked,
  { now, timeZone, shown }: BlockPreview,
  { versions, isLive, names, people }: Choices,
  person: string,
): Html {
  const wall = new Date(now + (offsetOf(timeZone)?.(now) ?? 0)).toISOString().slice(0, 16);
  const clock = clockIn(timeZone, now);
  const known: Option[] = versions.map(({ version, publishedAt }) => [
    `${version}`,
    `${version}, published on ${clock(publishedAt)}`,
  ]);
  const live: Option[] = isLive || asked.version === "live" ? [["live", "Live"]] : [];
  const all: Option[] = [["draft", "Draft"], ...live, ...known];
  const asFirst: Option[] = all.some(([value]) => value === `${request.version}`)
    ? []
    : [[`${request.version}`, `${request.version}`]];
  const devices: Option[] = [["", "Not known"], ...DEVICES.map((it): Option => [it, capital(it)])];
  const persons = people.map(({ id, name }): Option => [id, capital(name)]);
  return html`<form class="bar" method="get">
${"slot" in shown ? showingControl(shown.slot.blocks, names, asked.show) : ""}
${asked.block === undefined ? "" : select("Version", "version", [...asFirst, ...all], `${asked.version}`)}
${select("Person", "person", persons, person)}
${select("Device", "device", devices, asked.device ?? "")}
<label>Time (${timeZone}) <input type="datetime-local" name="now" value="${wall}" min="1900-01-01T00:00" max="2199-12-31T23:59" required></label>
<button>Show</button>
</form>`;
}

function showingControl(blocks: readonly LiveBlock[], names: Choices["names"], show: Showing | undefined): Html {
  const chosen = show ? `${show.block}/${show.variant ?? ""}` : "";
  return html`<label>Shown <select name="show">${option(["", "What is decided"], chosen)}
${blocks.map(
  ({ key, variants, fallback }) => html`<optgroup label="${names.get(key) ?? key}">
${variants.map((variant) => option([`${key}/${variant.key}`, variant.key], chosen))}
${fallback ? option([`${key}/`, "Fallback"], chosen) : ""}
</optgroup>`,
)}
</select></label>`;
}

function select(label: string, name: string, options: readonly Option[], chosen: string): Html {
  return html`<label>${label} <select name="${name}">${options.map((it) => option(it, chosen))}</select></label>`;
}

function option([value, text]: Option, chosen: string): Html {
  return html`<option value="${value}"${value === chosen ? raw(" selected") : ""}>${text}</option>`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
