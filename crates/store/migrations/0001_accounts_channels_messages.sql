-- Times are milliseconds since the Unix epoch, UTC.

-- What others see of a user, whichever issuer the user is from.
CREATE TABLE profiles (
    user    TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    avatar  TEXT,
    updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The accounts of the built-in issuer. The keys are what is unique: the same text in lower case.
CREATE TABLE accounts (
    user          TEXT PRIMARY KEY REFERENCES profiles (user),
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL UNIQUE,
    username      TEXT,
    username_key  TEXT UNIQUE,
    password_hash TEXT NOT NULL,
    created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    session    TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES accounts (user) ON DELETE CASCADE,
    user_agent TEXT,
    created    INTEGER NOT NULL,
    seen       INTEGER NOT NULL,
    ended      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user, created);

CREATE TABLE channels (
    channel    TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'public')),
    creator    TEXT NOT NULL REFERENCES profiles (user),
    created    INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX channels_public ON channels (channel) WHERE visibility = 'public';

CREATE TABLE members (
    channel TEXT NOT NULL REFERENCES channels (channel) ON DELETE CASCADE,
    user    TEXT NOT NULL REFERENCES profiles (user),
    role    TEXT NOT NULL CHECK (role IN ('reader', 'member', 'moderator', 'owner')),
    joined  INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user, channel);

-- A channel's messages lie together in the order of seq, which has no gaps.
CREATE TABLE messages (
    channel   TEXT NOT NULL REFERENCES channels (channel) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    message   BLOB NOT NULL CHECK (length(message) = 16),
    sender    TEXT NOT NULL REFERENCES profiles (user),
    content   TEXT NOT NULL,
    client_id TEXT,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    edited    INTEGER,
    deleted   INTEGER,
    PRIMARY KEY (channel, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX messages_by_id ON messages (message);

-- A client's retry finds the message it has sent before.
CREATE UNIQUE INDEX messages_by_client_id ON messages (channel, sender, client_id) WHERE client_id IS NOT NULL;
