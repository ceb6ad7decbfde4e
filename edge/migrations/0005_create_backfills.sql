-- Version of the publish that changed the rules last: what was decided by an earlier one may not be true any more.
ALTER TABLE sites ADD COLUMN rules_version INTEGER NOT NULL DEFAULT 0;
-- Hash of all that decides who is in which segment, as published.
ALTER TABLE sites ADD COLUMN rules_hash TEXT NOT NULL DEFAULT '';

-- The walk over everybody that makes segments true after a change of rules. One a site: the newest change starts it anew.
CREATE TABLE backfills (
  site_id TEXT NOT NULL REFERENCES sites (id),
  rules_version INTEGER NOT NULL,
  -- Everybody up to this profile id has been decided by these rules.
  cursor TEXT NOT NULL,
  -- Profiles walked over, of how many: null until they are counted.
  done INTEGER NOT NULL,
  total INTEGER,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- Until then nobody else works on it.
  leased_until INTEGER NOT NULL,
  PRIMARY KEY (site_id)
) STRICT, WITHOUT ROWID;
-- Serves: the minute's unfinished backfills, all sites together.
CREATE INDEX backfills_started_at ON backfills (started_at) WHERE finished_at IS NULL;
