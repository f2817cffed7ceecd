-- Since when nothing can be sent any more; none: it can.
ALTER TABLE channels ADD COLUMN archived INTEGER;

-- The newest message when the member came. Who was a member before this has seen all there is.
ALTER TABLE members ADD COLUMN joined_seq INTEGER NOT NULL DEFAULT 0;

-- A channel is never without an owner.
CREATE INDEX members_owners ON members (channel) WHERE role = 'owner';

-- Who knows the secret of one may become a member. Of the secret only the digest is kept.
CREATE TABLE invites (
    digest  BLOB PRIMARY KEY CHECK (length(digest) = 32),
    channel TEXT NOT NULL REFERENCES channels (channel) ON DELETE CASCADE,
    inviter TEXT NOT NULL REFERENCES profiles (user),
    user    TEXT, -- none: for anybody
    role    TEXT NOT NULL CHECK (role IN ('reader', 'member', 'moderator', 'owner')),
    uses    INTEGER NOT NULL, -- that are left
    ends    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX invites_by_channel ON invites (channel, inviter);
