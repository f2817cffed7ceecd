-- Accounts whose next login has to wait, because many failed. An account is a digest of the name that was given: there
-- need not be one of that name.
CREATE TABLE login_failures (
    account       BLOB PRIMARY KEY CHECK (length(account) = 16),
    paid_until    INTEGER NOT NULL, -- the failures, as the time by which they are forgiven
    blocked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_failures_by_end ON login_failures (paid_until);
