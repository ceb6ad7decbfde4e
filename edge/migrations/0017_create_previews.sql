-- What a shared link shows, and to whom it is shown as: of somebody stored only an id is kept, a person made up as they were sent.
CREATE TABLE previews (
  site_id TEXT NOT NULL,
  id TEXT NOT NULL,
  request TEXT NOT NULL CHECK (json_valid(request)),
  created_at INTEGER NOT NULL,
  -- Whoever has the link sees nothing from then on, and the row goes with the next run of the cron trigger.
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, id)
) STRICT;
-- Serves: what has expired, all sites together.
CREATE INDEX previews_expires_at ON previews (expires_at);
