-- A profile in a segment. Also in profiles.decisions, which is what the hot path reads; both change in one transaction.
CREATE TABLE memberships (
  site_id TEXT NOT NULL,
  segment_key TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (site_id, segment_key, profile_id)
) STRICT, WITHOUT ROWID;
-- Serves: the memberships of a profile.
CREATE INDEX memberships_site_id_profile_id ON memberships (site_id, profile_id);

-- Every enter and exit, in order: the log of a profile and the transactional outbox of whoever acts on it.
CREATE TABLE membership_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  segment_key TEXT NOT NULL,
  change TEXT NOT NULL CHECK (change IN ('enter', 'exit')),
  -- event: something happened; time: only the clock moved; rule: the segment changed; identity: profiles were united or parted.
  cause TEXT NOT NULL CHECK (cause IN ('event', 'time', 'rule', 'identity')),
  at INTEGER NOT NULL,
  segment_version INTEGER NOT NULL
) STRICT;
-- Serves: the log of a profile.
CREATE INDEX membership_log_site_id_profile_id_id ON membership_log (site_id, profile_id, id);

-- Answers to unsafe API requests that carried an Idempotency-Key, kept 24 hours.
CREATE TABLE idempotency_keys (
  site_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  -- Null while the first request is still under way.
  status INTEGER,
  body TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, key)
) STRICT, WITHOUT ROWID;
