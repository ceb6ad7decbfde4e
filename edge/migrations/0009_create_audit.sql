-- Who did what to whom, on which evidence: without gaps, in the order in which it was committed. What is said stays said; only
-- the detail of somebody who was erased goes, and its hash takes its place, so that the chain over it still holds.
CREATE TABLE audit (
  site_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- browser, server, import: the source of an event; key:<id>: a developer; system.
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  -- Birth ids of all identifiers that the detail names: ["…"]
  subjects TEXT NOT NULL CHECK (json_valid(subjects)),
  -- The evidence, with the identifiers themselves; null once it is erased.
  detail TEXT CHECK (json_valid(detail)),
  -- Random, goes with the detail: without it nobody can guess what was erased and prove it by the hash.
  salt TEXT,
  -- SHA-256 of salt and detail, in their place.
  detail_hash TEXT,
  PRIMARY KEY (site_id, seq),
  CHECK ((detail IS NULL) = (salt IS NULL) AND (detail IS NULL) = (detail_hash IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- From each subject to its entries: the audit of a profile, and what its erasure has to look at.
CREATE TABLE audit_subjects (
  site_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (site_id, subject, seq)
) STRICT, WITHOUT ROWID;

-- The chain: each seal stands over the entries since the seal before, and over that seal.
CREATE TABLE audit_seals (
  site_id TEXT NOT NULL,
  -- The last entry under it.
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- SHA-256 of each entry under it, in order.
  digests TEXT NOT NULL CHECK (json_valid(digests)),
  -- SHA-256 of the seal before, seq, at and digests.
  hash TEXT NOT NULL,
  PRIMARY KEY (site_id, seq)
) STRICT, WITHOUT ROWID;

-- Sites with entries that no seal stands over yet.
CREATE TABLE audit_waiting (
  site_id TEXT NOT NULL PRIMARY KEY,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Serves: the minute's sites to seal, those first that wait longest.
CREATE INDEX audit_waiting_since ON audit_waiting (since);

-- The store itself only appends. Each trigger is on one line, in capitals and without CASE: else D1 may cut it in two.
CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM audit WHERE site_id = NEW.site_id), 0) BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN OLD.detail IS NULL OR NEW.detail IS NOT NULL OR (NEW.site_id, NEW.seq, NEW.at, NEW.actor, NEW.action, NEW.subjects) IS NOT (OLD.site_id, OLD.seq, OLD.at, OLD.actor, OLD.action, OLD.subjects) BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_subjects_update BEFORE UPDATE ON audit_subjects BEGIN SELECT RAISE(ABORT, 'audit_subjects is append-only'); END;
CREATE TRIGGER audit_subjects_delete BEFORE DELETE ON audit_subjects BEGIN SELECT RAISE(ABORT, 'audit_subjects is append-only'); END;
CREATE TRIGGER audit_find AFTER INSERT ON audit BEGIN INSERT INTO audit_subjects (site_id, subject, seq) SELECT NEW.site_id, value, NEW.seq FROM json_each(NEW.subjects) WHERE true ON CONFLICT DO NOTHING; END;
CREATE TRIGGER audit_wait AFTER INSERT ON audit BEGIN INSERT INTO audit_waiting (site_id, since) VALUES (NEW.site_id, NEW.at) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER audit_seals_insert BEFORE INSERT ON audit_seals WHEN NEW.seq <= coalesce((SELECT max(seq) FROM audit_seals WHERE site_id = NEW.site_id), 0) BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only'); END;
CREATE TRIGGER audit_seals_update BEFORE UPDATE ON audit_seals BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only'); END;
CREATE TRIGGER audit_seals_delete BEFORE DELETE ON audit_seals BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only'); END;
