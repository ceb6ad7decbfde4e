-- Serves: the minute's unfinished backfills, all sites together, the longest untouched first.
DROP INDEX backfills_started_at;
CREATE INDEX backfills_leased_until ON backfills (leased_until) WHERE finished_at IS NULL;
