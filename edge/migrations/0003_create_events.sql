-- Events stay with the identifier that produced them (`owner`: userId, else anonymousId) and are never rewritten.
-- The key removes duplicates and keeps an owner's events together: one row written an event, no index. A timeline sorts
-- what it finds under its owner. A clock-corrected time differs on a resend, so it is no part of it.
CREATE TABLE events (
  site_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  message_id TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('track', 'page', 'screen', 'identify', 'alias', 'group')),
  -- track: event; page and screen: name; otherwise empty.
  name TEXT NOT NULL,
  -- Corrected for the sender's clock.
  at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  -- The message as accepted. Written by JSON.stringify: checking it again would cost more than the insert.
  body TEXT NOT NULL,
  PRIMARY KEY (site_id, owner, message_id)
) STRICT, WITHOUT ROWID;

-- The part of an owner's events that rules look at, folded for reading in one go, in chunks in order of arrival: only the
-- last one is written again. Derived from events.
CREATE TABLE histories (
  site_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  -- Names and properties it was folded for; when rules need others, it is folded anew.
  shape TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (site_id, owner, chunk)
) STRICT, WITHOUT ROWID;
