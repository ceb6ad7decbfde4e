-- A site is one tenant. Everything below it carries site_id first in its key.
CREATE TABLE sites (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  settings TEXT NOT NULL CHECK (json_valid(settings)),
  -- Grows by one at each publish; the manifest carries it.
  version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Only the SHA-256 of a key is kept; write keys are public and travel in pages, secret keys are shown once.
CREATE TABLE keys (
  hash TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  site_id TEXT NOT NULL REFERENCES sites (id),
  kind TEXT NOT NULL CHECK (kind IN ('write', 'secret')),
  label TEXT NOT NULL,
  -- The write key itself (it is public), or the last four characters of a secret key.
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
-- Serves: list the keys of a site.
CREATE INDEX keys_site_id_id ON keys (site_id, id);

CREATE TABLE segments (
  site_id TEXT NOT NULL REFERENCES sites (id),
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('dynamic', 'static')),
  condition TEXT CHECK (condition IS NULL OR json_valid(condition)),
  visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
  status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, key)
) STRICT, WITHOUT ROWID;

-- The draft of each block; what is live is the row of block_versions that `live_version` names.
CREATE TABLE blocks (
  site_id TEXT NOT NULL REFERENCES sites (id),
  key TEXT NOT NULL,
  slot TEXT NOT NULL,
  draft TEXT NOT NULL CHECK (json_valid(draft)),
  status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
  version INTEGER NOT NULL,
  live_version INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE block_versions (
  site_id TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  slot TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  published_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, key, version)
) STRICT, WITHOUT ROWID;
