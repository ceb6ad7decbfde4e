-- Values that were given as identifiers and are none, counted; none of them is kept. `day`: its midnight in UTC.
CREATE TABLE refused_identifiers (
  site_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('blocked', 'malformed', 'too-long')),
  count INTEGER NOT NULL,
  PRIMARY KEY (site_id, day, kind, reason)
) STRICT, WITHOUT ROWID;
