-- Identity is a graph: identifiers are nodes, links are edges, a profile is a connected component.
-- `identifier` is "kind:value" after normalization; a kind has no colon.
CREATE TABLE identifiers (
  site_id TEXT NOT NULL,
  identifier TEXT NOT NULL,
  -- The profile this identifier belongs to now: its component's id.
  profile_id TEXT NOT NULL,
  -- The id that its component has while this identifier is the eldest of it. Never changes: undoing a merge gives it back.
  birth_id TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  -- What it allows now, per purpose: {purpose: [granted, at]}; the statements are in consents.
  consent TEXT NOT NULL CHECK (json_valid(consent)),
  PRIMARY KEY (site_id, identifier)
) STRICT, WITHOUT ROWID;
-- Serves: all identifiers of a profile.
CREATE INDEX identifiers_site_id_profile_id ON identifiers (site_id, profile_id);
-- Serves: a merged id answers with the current profile.
CREATE UNIQUE INDEX identifiers_site_id_birth_id ON identifiers (site_id, birth_id);

-- One row per pair, named by a hash of it, so that hearing of it again changes nothing. An unmerge sets removed_at.
CREATE TABLE links (
  id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  evidence TEXT NOT NULL CHECK (evidence IN ('identify', 'alias', 'import', 'fuzzy', 'manual')),
  weight REAL,
  rule TEXT,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  removed_at INTEGER,
  PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
-- Serve: the links of an identifier, from either end.
CREATE INDEX links_site_id_a ON links (site_id, a);
CREATE INDEX links_site_id_b ON links (site_id, b);

-- Links that were refused, with the reason.
CREATE TABLE conflicts (
  site_id TEXT NOT NULL,
  id TEXT NOT NULL,
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  evidence TEXT NOT NULL,
  reason TEXT NOT NULL,
  message_id TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
  site_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- Fixed at first sight: what variants and samples are drawn by.
  stable_id TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  -- Grows by one at each write; a write that read an older version is refused and tried again.
  version INTEGER NOT NULL,
  -- The profile that this one is part of now; null while it stands for itself.
  merged_into TEXT,
  -- What the engine said last: {segment key: [since, until]} for each segment it is a member of.
  decisions TEXT NOT NULL CHECK (json_valid(decisions)),
  -- Earliest `until` of the decisions: when time alone may change an answer.
  wakes_at INTEGER,
  -- Manifest under which `decisions` were made.
  manifest_version INTEGER NOT NULL,
  PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
-- Serves: the minute's due profiles, all sites together.
CREATE INDEX profiles_wakes_at ON profiles (wakes_at) WHERE wakes_at IS NOT NULL;

-- Facts stay with the identifier and source that said them: {path: [value, at]}. A profile's value is the newest.
CREATE TABLE traits (
  site_id TEXT NOT NULL,
  identifier TEXT NOT NULL,
  source TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (site_id, identifier, source)
) STRICT, WITHOUT ROWID;

-- What an identifier allowed, statement by statement, with its proof; the newest per purpose counts.
CREATE TABLE consents (
  site_id TEXT NOT NULL,
  identifier TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('necessary', 'analytics', 'personalization', 'marketing')),
  at INTEGER NOT NULL,
  granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
  source TEXT NOT NULL,
  policy_version TEXT,
  PRIMARY KEY (site_id, identifier, purpose, at)
) STRICT, WITHOUT ROWID;
