-- How much of itself a channel keeps, where its owner has said so, and the newest message that is gone for it: what is
-- left is everything from the next one on.
ALTER TABLE channels ADD COLUMN max_age_s INTEGER;
ALTER TABLE channels ADD COLUMN max_messages INTEGER;
ALTER TABLE channels ADD COLUMN trimmed_seq INTEGER NOT NULL DEFAULT 0;
