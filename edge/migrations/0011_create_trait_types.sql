-- Each JSON type that a source ever sent of a trait: a second one is a change worth a word. Names only, no values, nobody's identifiers.
CREATE TABLE trait_types (
  site_id TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('browser', 'server', 'import')),
  trait TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('string', 'number', 'boolean', 'object', 'array')),
  -- When the first message with it was received, and which one that was.
  first_at INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  PRIMARY KEY (site_id, source, trait, type)
) STRICT, WITHOUT ROWID;

-- Serves: the history of a trait, without reading what else its owner did. Of other types of event nothing is written. `type` makes
-- it enough to find the place of a message.
CREATE INDEX events_site_id_owner_at_message_id_type ON events (site_id, owner, at, message_id, type)
  WHERE type IN ('identify', 'group');
