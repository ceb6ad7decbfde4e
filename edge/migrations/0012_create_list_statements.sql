-- Who is on an uploaded list is said of identifiers, as consent is: a profile is on it if the newest statement of any of its
-- identifiers says so. Thus a profile that is taken apart leaves to each part what was said of it.
CREATE TABLE list_statements (
  site_id TEXT NOT NULL,
  identifier TEXT NOT NULL,
  segment_key TEXT NOT NULL,
  -- Later than every statement before it of the same profile.
  at INTEGER NOT NULL,
  -- 1: on the list; 0: not on it; null: not said any more, since another list took its place.
  listed INTEGER CHECK (listed IN (0, 1)),
  PRIMARY KEY (site_id, identifier, segment_key, at)
) STRICT, WITHOUT ROWID;
-- Serves: whom a list ever named, so that another may take its place.
CREATE INDEX list_statements_site_id_segment_key_identifier ON list_statements (site_id, segment_key, identifier) WHERE listed = 1;

-- The newest statement of each list: {segment key: [listed, at]}.
ALTER TABLE identifiers ADD COLUMN lists TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(lists));

-- Until now only the profile was known to be a member: that is what its eldest identifier says.
INSERT INTO list_statements (site_id, identifier, segment_key, at, listed)
SELECT m.site_id, i.identifier, m.segment_key, max(m.since, s.created_at), 1
FROM segments AS s
CROSS JOIN memberships AS m ON m.site_id = s.site_id AND m.segment_key = s.key
CROSS JOIN identifiers AS i ON i.site_id = m.site_id AND i.birth_id = m.profile_id
WHERE s.kind = 'static' AND s.status = 'active';

UPDATE identifiers SET lists = (
  SELECT json_group_object(l.segment_key, json_array(json('true'), l.at)) FROM list_statements AS l
  WHERE l.site_id = identifiers.site_id AND l.identifier = identifiers.identifier)
WHERE (site_id, identifier) IN (SELECT site_id, identifier FROM list_statements);
