-- The ledger: a log to which rows are added, and the map made from it.
CREATE TABLE entry (
    idx           INTEGER PRIMARY KEY,
    kind          TEXT NOT NULL,
    commitment    BLOB NOT NULL CHECK (length(commitment) = 32),
    subject       TEXT NOT NULL,
    object_digest BLOB NOT NULL CHECK (length(object_digest) IN (0, 32)),
    time          INTEGER NOT NULL,
    data          BLOB NOT NULL,
    leaf          BLOB NOT NULL CHECK (length(leaf) = 32),
    extra         BLOB NOT NULL
) STRICT;
-- The same thing is logged once; only the map's root may stay the same from head to head.
CREATE UNIQUE INDEX entry_commitment ON entry (commitment, kind) WHERE kind <> 'map-head';
CREATE INDEX entry_fingerprint ON entry (extra) WHERE kind = 'tlsls';

CREATE TABLE object (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    data   BLOB NOT NULL
) STRICT;

CREATE TABLE node (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 63),
    idx   INTEGER NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- note is NULL until the head is signed and empty once a newer one is published.
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB,
    time INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX checkpoint_unsigned ON checkpoint (note IS NULL) WHERE note IS NULL;

CREATE TABLE state (
    key   BLOB PRIMARY KEY CHECK (length(key) = 32),
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    value BLOB NOT NULL CHECK (length(value) = 32),
    idx   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE map_page (
    prefix BLOB PRIMARY KEY CHECK (length(prefix) <= 31),
    bytes  BLOB NOT NULL
) STRICT;

-- What was signed must stay true, also against a mistake in the program.
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
    BEGIN SELECT RAISE (ABORT, 'an entry never changes'); END;
CREATE TRIGGER entry_remains BEFORE DELETE ON entry
    BEGIN SELECT RAISE (ABORT, 'an entry is never deleted'); END;
CREATE TRIGGER node_stays BEFORE UPDATE ON node
    BEGIN SELECT RAISE (ABORT, 'a node never changes'); END;
CREATE TRIGGER checkpoint_stays BEFORE UPDATE OF size, root, time ON checkpoint
    BEGIN SELECT RAISE (ABORT, 'a size has one root'); END;
CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE (ABORT, 'a head is never deleted'); END;

-- The registry. log_idx is NULL while the ledger has not taken the serial.
CREATE TABLE name (
    name       TEXT NOT NULL,
    serial     INTEGER NOT NULL CHECK (serial > 0),
    owner      TEXT NOT NULL,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    record     BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    tombstone  INTEGER NOT NULL,
    log_idx    INTEGER,
    PRIMARY KEY (name, serial)
) STRICT;
CREATE UNIQUE INDEX name_proposed ON name (name) WHERE log_idx IS NULL;

CREATE TABLE wallet (
    did TEXT PRIMARY KEY,
    doc BLOB NOT NULL
) STRICT;

CREATE TABLE challenge (
    token   BLOB PRIMARY KEY CHECK (length(token) = 32),
    name    TEXT NOT NULL,
    did     TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX challenge_expires ON challenge (expires);

CREATE TABLE allowed (
    name TEXT PRIMARY KEY,
    did  TEXT NOT NULL
) STRICT;

-- What gateways and clients have seen of others.
CREATE TABLE seen_name (
    name       TEXT PRIMARY KEY,
    serial     INTEGER NOT NULL,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32)
) STRICT;

CREATE TABLE seen_log (
    log  BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    time INTEGER NOT NULL
) STRICT;
