-- How many came into a segment and left it, hour by hour, and how many were in it then: its size at any time is one row away.
CREATE TABLE segment_hours (
  site_id TEXT NOT NULL,
  segment_key TEXT NOT NULL,
  -- The beginning of the hour. Hours in which nothing changed have no row.
  hour INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  exited INTEGER NOT NULL,
  -- Members at the end of the hour, or now.
  members INTEGER NOT NULL,
  PRIMARY KEY (site_id, segment_key, hour)
) STRICT, WITHOUT ROWID;

-- Who is in now, less what the log says has changed since.
WITH hours AS (
  SELECT site_id, segment_key, at - at % 3600000 AS hour, sum(change = 'enter') AS entered, sum(change = 'exit') AS exited
  FROM membership_log GROUP BY 1, 2, 3
), sizes AS (
  SELECT site_id, segment_key, count(*) AS members FROM memberships GROUP BY 1, 2
)
INSERT INTO segment_hours (site_id, segment_key, hour, entered, exited, members)
SELECT h.site_id, h.segment_key, h.hour, h.entered, h.exited,
  coalesce(s.members, 0) - coalesce(sum(h.entered - h.exited) OVER (
    PARTITION BY h.site_id, h.segment_key ORDER BY h.hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
FROM hours AS h
LEFT JOIN sizes AS s ON s.site_id = h.site_id AND s.segment_key = h.segment_key;
