/** What a link or its removal changes, as developers read it: people before and after, and what is different for them. */
import * as z from "zod";
import { REASONS } from "../../shared/decision.ts";
import { splitIdentifier } from "../../shared/identifier.ts";
import { decideSlots } from "../blocks/decide.ts";
import { EVIDENCE, linkId, type NewLink } from "../db/links.ts";
import { viewerOf } from "../delivery/viewer.ts";
import type { Regrouping } from "../identity/link.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { Person } from "../profiles/person.ts";
import { IdentifierSchema } from "./identifier.ts";
import { IsoSchema, toIso, toIsoOrNull } from "./schemas.ts";

const PersonSchema = z
  .object({
    id: z.string(),
    stableId: z.string(),
    identifiers: z.array(IdentifierSchema.extend({ firstSeen: IsoSchema })),
    firstSeen: IsoSchema,
    lastSeen: IsoSchema,
  })
  .openapi("RegroupedProfile");

const TraitSchema = z.object({
  value: z.unknown(),
  identifier: IdentifierSchema,
  source: z.string(),
  at: IsoSchema,
});
const MembershipSchema = z.object({ since: IsoSchema, until: IsoSchema.nullable() });
const VariantSchema = z.object({ variant: z.string().nullable(), reason: z.enum(REASONS) });

const ChangeSchema = z
  .object({
    from: z.string().openapi({ description: "Id of a profile of `before`." }),
    to: z.string().openapi({ description: "Id of a profile of `after` that has identifiers of it." }),
    traits: z
      .array(z.object({ trait: z.string(), before: TraitSchema.nullable(), after: TraitSchema.nullable() }))
      .openapi({ description: "Whose value is another, or appears, or is gone." }),
    segments: z
      .array(z.object({ segment: z.string(), before: MembershipSchema.nullable(), after: MembershipSchema.nullable() }))
      .openapi({ description: "Entered (`before` is null), left (`after` is null), or a member since another time." }),
    slots: z.array(z.object({ slot: z.string(), before: VariantSchema, after: VariantSchema })).openapi({
      description: "That get another variant, as far as nothing of a page is looked at.",
    }),
  })
  .openapi("ProfileChange");

const PairShape = { id: z.string(), a: IdentifierSchema, b: IdentifierSchema, evidence: z.enum(EVIDENCE) };
export const PairSchema = z.object(PairShape);
const RefusedPairSchema = z.object({ ...PairShape, reason: z.string() });

const ADA = { kind: "userId", value: "u-42" };
const PHONE = { kind: "anonymousId", value: "6d1e…" };
const SEEN = "2026-03-01T12:00:00.000Z";
const example = (id: string, ...identifiers: object[]) => ({
  id,
  stableId: "0v1049s0iuxzve",
  identifiers: identifiers.map((identifier) => ({ ...identifier, firstSeen: SEEN })),
  firstSeen: SEEN,
  lastSeen: SEEN,
});

export const regroupingExample = {
  link: "0lih84c0wqx5sp",
  done: true,
  before: [example("p_1", ADA), example("p_2", PHONE)],
  after: [example("p_1", ADA, PHONE)],
  changes: [
    {
      from: "p_2",
      to: "p_1",
      traits: [{ trait: "plan", before: null, after: { value: "pro", identifier: ADA, source: "server", at: SEEN } }],
      segments: [{ segment: "cart-abandoner", before: null, after: { since: SEEN, until: null } }],
      slots: [
        { slot: "hero", before: { variant: null, reason: "fallback" }, after: { variant: "keen", reason: "targeted" } },
      ],
    },
  ],
  links: { made: [{ id: "0lih84c0wqx5sp", a: ADA, b: PHONE, evidence: "manual" }], fallen: [] },
  conflicts: { made: [], solved: [] },
};

/** @see toRegrouping */
export const regroupingShape = {
  link: z.string().openapi({ description: "Id of the link that is made or removed." }),
  done: z.boolean().openapi({ description: "False: a dry run." }),
  before: z.array(PersonSchema),
  after: z.array(PersonSchema),
  changes: z.array(ChangeSchema).openapi({ description: "One for each two profiles that share identifiers." }),
  links: z.object({
    made: z.array(PairSchema).openapi({ description: "Among them such as were refused because of the one removed." }),
    fallen: z.array(PairSchema).openapi({ description: "The one removed, and such as are refused without it." }),
  }),
  conflicts: z.object({
    made: z.array(RefusedPairSchema).openapi({ description: "Refused from now on." }),
    solved: z.array(RefusedPairSchema).openapi({ description: "Not refused any more." }),
  }),
};

/** @param link id of the one that is made or removed. @param now when slots are decided */
export function toRegrouping(regrouping: Regrouping, link: string, done: boolean, now: number) {
  const { live, before, after, links, conflicts } = regrouping;
  const toConflict = (pair: NewLink & { reason: string }) => ({ ...toPair(pair), reason: pair.reason });
  const variantsOf = new Map([...before, ...after].map((person) => [person, decideVariants(live, person, now)]));
  return {
    link,
    done,
    before: before.map(toPerson),
    after: after.map(toPerson),
    changes: before.flatMap((from) =>
      after.filter((to) => sharesIdentifiers(from, to)).map((to) => compare(from, to, variantsOf)),
    ),
    links: { made: links.made.map(toPair), fallen: links.fallen.map(toPair) },
    conflicts: { made: conflicts.made.map(toConflict), solved: conflicts.solved.map(toConflict) },
  };
}

function toPerson({ profile, group }: Person): z.infer<typeof PersonSchema> {
  const { id, stableId, firstSeen, lastSeen } = profile;
  const nodes = [...group.nodes].sort((a, b) => a.firstSeen - b.firstSeen || (a.identifier < b.identifier ? -1 : 1));
  return {
    id,
    stableId,
    identifiers: nodes.map((node) => ({ ...splitIdentifier(node.identifier), firstSeen: toIso(node.firstSeen) })),
    firstSeen: toIso(firstSeen),
    lastSeen: toIso(lastSeen),
  };
}

export function toPair({ a, b, evidence }: NewLink): z.infer<typeof PairSchema> {
  return { id: linkId(a, b), a: splitIdentifier(a), b: splitIdentifier(b), evidence };
}

function sharesIdentifiers(one: Person, other: Person): boolean {
  const names = new Set(one.group.nodes.map(({ identifier }) => identifier));
  return other.group.nodes.some(({ identifier }) => names.has(identifier));
}

type Variants = { [slot: string]: z.infer<typeof VariantSchema> };

/** As delivery decides every slot of the site, without a page. */
function decideVariants(live: LiveSite, person: Person, now: number): Variants {
  const slots = [...live.slots.keys()];
  const answers = decideSlots(live, slots, viewerOf(person), undefined, now);
  return Object.fromEntries(
    slots.map((slot) => {
      const { variant, reason } = answers[slot]!.decision;
      return [slot, { variant, reason }];
    }),
  );
}

function compare(from: Person, to: Person, variantsOf: Map<Person, Variants>): z.infer<typeof ChangeSchema> {
  const [before, after] = [variantsOf.get(from)!, variantsOf.get(to)!];
  return {
    from: from.profile.id,
    to: to.profile.id,
    traits: unionOf(from.traits, to.traits).flatMap((trait) => {
      const change = { trait, before: toTrait(from, trait), after: toTrait(to, trait) };
      return isSame(change.before?.value, change.after?.value) ? [] : [change];
    }),
    segments: unionOf(from.profile.decisions, to.profile.decisions).flatMap((segment) => {
      const change = { segment, before: toMembership(from, segment), after: toMembership(to, segment) };
      return change.before?.since === change.after?.since ? [] : [change];
    }),
    slots: Object.keys(before).flatMap((slot) => {
      const change = { slot, before: before[slot]!, after: after[slot]! };
      return isSame(change.before, change.after) ? [] : [change];
    }),
  };
}

function unionOf(one: object, other: object): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function toTrait({ traits, traitSources }: Person, trait: string): z.infer<typeof TraitSchema> | null {
  const from = traitSources.get(trait);
  if (!from) return null;
  const { identifier, source, at } = from;
  return { value: traits[trait], identifier: splitIdentifier(identifier), source, at: toIso(at) };
}

function toMembership({ profile }: Person, segment: string): z.infer<typeof MembershipSchema> | null {
  if (!Object.hasOwn(profile.decisions, segment)) return null;
  const [since, until] = profile.decisions[segment]!;
  return { since: toIso(since), until: toIsoOrNull(until) };
}
