-- What each recipient of a send was given, by slot: decided once, at the first rendering, so that HTML, image and link agree whenever
-- they are asked for. No index on expires_at: it would double what a rendering writes. The cron trigger walks the table by its key.
CREATE TABLE send_decisions (
  site_id TEXT NOT NULL,
  -- Birth id of the identifier that the token was made for.
  recipient TEXT NOT NULL,
  send TEXT NOT NULL,
  slot TEXT NOT NULL,
  id TEXT NOT NULL,
  block TEXT NOT NULL,
  block_version INTEGER NOT NULL,
  -- Null: the block's fallback.
  variant TEXT,
  reason TEXT NOT NULL,
  until INTEGER,
  -- Where a click leads; null: nowhere of its own.
  link TEXT,
  decided_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, recipient, send, slot)
) STRICT, WITHOUT ROWID;

-- Behind which row that walk goes on; no row: at the first.
CREATE TABLE send_decision_walk (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  site_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  send TEXT NOT NULL,
  slot TEXT NOT NULL
) STRICT;
