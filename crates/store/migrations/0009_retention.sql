-- How much of itself a channel keeps, where its owner has said so, and the newest message that is gone for it: what is
-- left is everything from the next one on.
ALTER TABLE channels ADD COLUMN max_age_s INTEGER;
ALTER TABLE channels ADD COLUMN max_messages INTEGER;
ALTER TABLE channels ADD COLUMN trimmed_seq INTEGER NOT NULL DEFAULT 0;

-- As before, and whatever somebody has sent is found, also what has no client id.
DROP INDEX messages_by_client_id;
CREATE UNIQUE INDEX messages_by_sender ON messages (sender, channel, client_id);

-- Users who are gone, and whose messages are being emptied.
CREATE TABLE erasures (
    user      TEXT PRIMARY KEY,
    requested INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
