-- The refresh tokens of a session, by digest only: the one that may be used next, and the one before it, which may be used
-- again for some seconds and then gives the same successor, made from the salt. A session from before this has none.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN idle_ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN tag_key BLOB CHECK (length(tag_key) = 32);
ALTER TABLE sessions ADD COLUMN refresh_current BLOB CHECK (length(refresh_current) = 32);
ALTER TABLE sessions ADD COLUMN refresh_parent BLOB CHECK (length(refresh_parent) = 32);
ALTER TABLE sessions ADD COLUMN refresh_salt BLOB CHECK (length(refresh_salt) = 32);
ALTER TABLE sessions ADD COLUMN refreshed INTEGER;

-- Their access tokens were valid for an hour by default, and nothing renews them.
UPDATE sessions SET ends = seen + 3600000, idle_ends = seen + 3600000;
