-- Who may open the admin page: nobody of these is a user.
CREATE TABLE admins (
    name          TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
    created       INTEGER NOT NULL,
    -- The last login, and where it came from.
    seen          INTEGER,
    address       TEXT
) STRICT, WITHOUT ROWID;
