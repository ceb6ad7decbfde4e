/** What is published: read from D1 in one transaction, the whole of it for the edge and the public part for browsers. */

import { analyze } from "../../shared/engine/analyze.ts";
import { needsMore, ship } from "../../shared/engine/ship.ts";
import type { Manifest, ManifestSegment, PublicManifest } from "../../shared/manifest.ts";
import { type BlockVersionRow, selectLiveBlocks, toBlockVersion, toManifestBlock } from "../db/blocks.ts";
import { type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { type SiteRow, toSite } from "../db/sites.ts";

/** Builds the manifest that `head` (a statement that answers the site's row) and the site's tables say; null without a site. */
export async function readManifest(
  db: D1Database,
  siteId: string,
  head: D1PreparedStatement,
  now: number,
): Promise<Manifest | null> {
  const [sites, segments, blocks] = await db.batch([head, selectSegments(db, siteId), selectLiveBlocks(db, siteId)]);
  const row = sites?.results[0] as SiteRow | undefined;
  if (!row) return null;
  const site = toSite(row);
  return {
    siteId,
    name: site.name,
    version: site.version,
    publishedAt: now,
    rules: site.rules,
    settings: site.settings,
    segments: (segments!.results as SegmentRow[])
      .map(toSegment)
      .filter((segment) => segment.status === "active")
      .map(({ key, name, kind, condition, visibility, version, createdAt }) => ({
        key,
        name,
        kind,
        condition,
        visibility,
        version,
        createdAt,
      })),
    blocks: (blocks!.results as BlockVersionRow[]).map(toBlockVersion).map(toManifestBlock),
  };
}

/** The part of a manifest that any visitor may read. Nothing of a private segment is in it: no rule, no name, no key. */
export function buildPublicManifest(manifest: Manifest): PublicManifest {
  const decidable = findDecidable(manifest.segments);
  const segments = manifest.segments.flatMap(({ key, condition }) =>
    condition && decidable.has(key) ? [{ key, condition: ship(condition) }] : [],
  );
  const { timeZone, consentDefault } = manifest.settings;
  const partial = segments.length < manifest.segments.length;
  const more = segments.some(({ condition }) => needsMore(condition));
  return {
    version: manifest.version,
    timeZone,
    consentDefault,
    segments,
    ...(partial && { partial }),
    ...(more && { more }),
  };
}

/** Public segments that a browser can decide: their own leaves, and those of every segment that they refer to. */
function findDecidable(segments: readonly ManifestSegment[]): Set<string> {
  const byKey = new Map(segments.map((segment) => [segment.key, segment]));
  const decided = new Map<string, boolean>();
  return new Set(segments.map(({ key }) => key).filter(isDecidable));

  function isDecidable(key: string): boolean {
    const known = decided.get(key);
    if (known !== undefined) return known;
    decided.set(key, false); // while it is being looked at: a cycle is not decidable
    const segment = byKey.get(key);
    if (!segment?.condition || segment.visibility !== "public") return false;
    const { runtime, segments } = analyze(segment.condition);
    const answer = runtime === "browser" && [...segments].every(isDecidable);
    decided.set(key, answer);
    return answer;
  }
}
