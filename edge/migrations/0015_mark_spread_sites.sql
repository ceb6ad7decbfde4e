-- Version of a site that KV has taken last: behind `version` where KV refused it, until the cron trigger has put it there.
ALTER TABLE sites ADD COLUMN spread_version INTEGER NOT NULL DEFAULT 0;
UPDATE sites SET spread_version = version;
-- Serves: sites whose newest publish is not in KV.
CREATE INDEX sites_spread_version ON sites (id) WHERE spread_version < version;
