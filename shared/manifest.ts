/** A site's published configuration: the whole of it at the edge, the public part in the browser. */
import type { Card } from "./card.ts";
import type { Condition } from "./condition.ts";
import type { ConsentMode } from "./consent.ts";
import type { IdentitySettings } from "./identifier.ts";

export type SegmentKind = "dynamic" | "static";
export type Visibility = "public" | "private";

export interface ManifestSegment {
  key: string;
  name: string;
  kind: SegmentKind;
  /** Null for a static segment. */
  condition: Condition | null;
  visibility: Visibility;
  version: number;
  /** When it came into being, epoch milliseconds; left out where it was published before that was kept. */
  createdAt?: number;
}

export interface Variant {
  key: string;
  /** Null: everyone. */
  audience: Condition | null;
  /** Liquid over HTML. */
  template: string;
  /** Where a click in an e-mail leads: Liquid that makes an https URL. */
  link?: string;
  /** What an e-mail shows of it as an image. */
  image?: Card;
}

/** From and to, as wall clocks of the site's zone show them: `2026-12-01T00:00`. From is in, to is out; left out: open. */
export interface Schedule {
  from?: string;
  to?: string;
}

/** At most so many exposures of a block for one person within a time. */
export interface Cap {
  times: number;
  /** A duration of the rule language: `7d`. */
  within: string;
}

export interface ManifestBlock {
  key: string;
  slot: string;
  /** In order: the first whose audience is true wins. */
  variants: Variant[];
  /** Liquid over HTML; null: the page's own content stays. */
  fallback: string | null;
  /** Left out: always. */
  schedule?: Schedule;
  /** Among the blocks of a slot the larger comes first; left out = 0. */
  priority?: number;
  cap?: Cap;
  /** An e-mail goes on showing what was decided at first, whatever has changed since; left out = yes. */
  safeIfStale?: boolean;
  version: number;
}

/**
 * Where a site's `consentDefault` holds. `outside-europe`: not in the EU, the EEA, the United Kingdom and Switzerland, nor
 * where nobody knows; there a visitor who has not chosen has allowed nothing. `everywhere`: the site answers for it.
 */
export const CONSENT_REGIONS = ["outside-europe", "everywhere"] as const;
export type ConsentRegion = (typeof CONSENT_REGIONS)[number];

export interface SiteSettings {
  /** IANA zone in which days are counted. */
  timeZone: string;
  /**
   * What a visitor of whom nothing is known has allowed. Browsers are told by place, see `consentRegion`, and say with each
   * message what holds. At the edge it stands for people who have said nothing: whom servers tell of, wherever they are.
   */
  consentDefault: ConsentMode;
  /** Left out = `outside-europe`. */
  consentRegion?: ConsentRegion;
  /** Origins that may call from a browser; `*` allows any. */
  origins: string[];
  /** Whether snapshots of what is decided of a profile are kept in KV; left out = no. */
  snapshots?: boolean;
  identity?: IdentitySettings;
}

/** Since which publish the rules are what they are: its number, and its time in epoch milliseconds, 0 where that is not known. */
export interface RulesVersion {
  version: number;
  at: number;
}

/** Published to KV, read from isolate memory. `version` grows by one at each publish. */
export interface Manifest {
  siteId: string;
  /** The site's name: `{{ site.name }}`; left out by manifests of before. */
  name?: string;
  version: number;
  publishedAt: number;
  /** Of what decides who is in which segment: whoever was decided by earlier rules is decided anew, as of then. */
  rules: RulesVersion;
  settings: SiteSettings;
  segments: ManifestSegment[];
  blocks: ManifestBlock[];
}

/** What a browser gets: the public segments that it can decide, in as few bytes as say it. */
export interface PublicManifest {
  version: number;
  timeZone: string;
  /** Of this visitor, by place. */
  consentDefault: ConsentMode;
  segments: { key: string; condition: Condition }[];
  /** There are segments that only the edge can decide; left out where there are none. */
  partial?: true;
  /** Some need more of the language than the script has: `attune.rules.js`. */
  more?: true;
}
