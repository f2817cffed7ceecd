-- Tokens, sessions, users and signing keys that are revoked. A target has one row.
CREATE TABLE revocations (
    kind          TEXT NOT NULL CHECK (kind IN ('key', 'session', 'token', 'user')),
    issuer        TEXT NOT NULL, -- empty for users, whose ids say it
    id            TEXT NOT NULL,
    issued_before INTEGER, -- none: whenever the token was issued
    revoked_at    INTEGER NOT NULL,
    until         INTEGER, -- none: never forgotten
    reason        TEXT NOT NULL,
    PRIMARY KEY (kind, issuer, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_by_end ON revocations (until) WHERE until IS NOT NULL;
