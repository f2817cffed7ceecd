-- When users were last here.
CREATE TABLE last_seen (
    user TEXT PRIMARY KEY REFERENCES profiles (user) ON DELETE CASCADE,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- So that nobody has to count the members of a large channel to see that it is large.
ALTER TABLE channels ADD COLUMN member_count INTEGER NOT NULL DEFAULT 0;

UPDATE channels SET member_count = (SELECT count(*) FROM members WHERE members.channel = channels.channel);

CREATE TRIGGER members_counted_in AFTER INSERT ON members BEGIN
    UPDATE channels SET member_count = member_count + 1 WHERE channel = new.channel;
END;

CREATE TRIGGER members_counted_out AFTER DELETE ON members BEGIN
    UPDATE channels SET member_count = member_count - 1 WHERE channel = old.channel;
END;
