-- What an unmerge needs to fold a person anew, exactly as it was once folded: who sent an event, and its place in the request.
ALTER TABLE events ADD COLUMN source TEXT NOT NULL DEFAULT 'server';
ALTER TABLE events ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
-- When a statement of consent came; `at` is when it was made. 0: before this was kept.
ALTER TABLE consents ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;

-- Refused by whom: the source of the event, or the key of a developer.
ALTER TABLE conflicts ADD COLUMN actor TEXT NOT NULL DEFAULT '';
-- Serve: the refused links of an identifier, from either end.
CREATE INDEX conflicts_site_id_a ON conflicts (site_id, a);
CREATE INDEX conflicts_site_id_b ON conflicts (site_id, b);
-- Serves: the newest refused links of a site.
CREATE INDEX conflicts_site_id_at_id ON conflicts (site_id, at, id);

-- The message that made a link; null for one that came otherwise.
ALTER TABLE links ADD COLUMN message_id TEXT;

-- When the rules last changed: the publish of `rules_version`.
ALTER TABLE sites ADD COLUMN rules_at INTEGER NOT NULL DEFAULT 0;
-- All that decided who was in which segment, from one publish to the next that changed it.
CREATE TABLE rules (
  site_id TEXT NOT NULL REFERENCES sites (id),
  version INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  -- {timeZone, consentDefault, segments: [{key, kind, condition, version}]}
  body TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (site_id, version)
) STRICT, WITHOUT ROWID;
