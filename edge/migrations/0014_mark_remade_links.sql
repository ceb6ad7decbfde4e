-- 1: removed once and made again since. What was said of the pair before that made no link.
ALTER TABLE links ADD COLUMN remade INTEGER NOT NULL DEFAULT 0 CHECK (remade IN (0, 1));
