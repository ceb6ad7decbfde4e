-- Who was erased, by a hash: what is sent again from before brings nobody back.
CREATE TABLE tombstones (
  site_id TEXT NOT NULL,
  -- SHA-256 of the site and the identifier.
  hash TEXT NOT NULL,
  -- What is not newer than this is refused.
  erased_at INTEGER NOT NULL,
  -- While rows are left to be removed: of which profile, by which identifier. Nobody new has the identifier until then.
  profile_id TEXT,
  birth_id TEXT,
  identifier TEXT,
  PRIMARY KEY (site_id, hash)
) STRICT, WITHOUT ROWID;
-- Serves: erasures that have rows left to remove, of a site and of all sites together.
CREATE INDEX tombstones_site_id_profile_id ON tombstones (site_id, profile_id) WHERE profile_id IS NOT NULL;

-- When it was erased, if somebody new has it since: kept here, so that whoever is stored needs no look at the tombstones.
ALTER TABLE identifiers ADD COLUMN erased_at INTEGER;

-- Profiles whose tokens prove nothing if they were issued until then. Kept for as long as a token lives.
CREATE TABLE revocations (
  site_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (site_id, profile_id)
) STRICT, WITHOUT ROWID;
-- Serves: the newest of a site.
CREATE INDEX revocations_site_id_until ON revocations (site_id, until);

-- Profiles whose snapshot in KV may not say yet what is stored here.
CREATE TABLE stale_snapshots (
  site_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  since INTEGER NOT NULL,
  -- Another one each time: whoever has written the snapshot takes back only the mark that it was written for.
  mark TEXT NOT NULL,
  PRIMARY KEY (site_id, profile_id)
) STRICT, WITHOUT ROWID;
-- Serves: those that wait longest, all sites together.
CREATE INDEX stale_snapshots_since ON stale_snapshots (since);
