-- What is still to be told to backends, in the order in which it happened. Numbers are never used again.
CREATE TABLE outbox (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    id       TEXT NOT NULL, -- the same at every attempt
    body     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, -- those that failed
    due      INTEGER NOT NULL -- when the next attempt is to be made
) STRICT;

CREATE INDEX outbox_by_endpoint ON outbox (endpoint, number);

-- How much waits for each endpoint, so that it need not be counted, and how much was left out because too much waited.
CREATE TABLE outbox_endpoints (
    endpoint TEXT PRIMARY KEY,
    waiting  INTEGER NOT NULL DEFAULT 0,
    dropped  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What was given up, by the number that it had.
CREATE TABLE dead_letters (
    number   INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,
    id       TEXT NOT NULL,
    body     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    died     INTEGER NOT NULL,
    reason   TEXT NOT NULL
) STRICT;

-- Requests that are not done twice, by a digest of who asks and the name of the request.
CREATE TABLE idempotency_keys (
    key     BLOB PRIMARY KEY CHECK (length(key) = 32),
    request BLOB NOT NULL CHECK (length(request) = 32), -- a digest of what was asked
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (until);
