-- The tables of the store, version 1. Run by the store itself when it opens a file; written so that `sqlite3 auth.db < 0001_records.sql`
-- does the same. Only for a file of its own: the two numbers below belong to the file as a whole.

PRAGMA application_id = 1735549294; -- "gran"
PRAGMA user_version = 1;

-- One record. A key is 35 bytes: partition (2, most significant first), kind (1), id (32); `parent`, `client` and `subject` are keys too.
-- Rows lie in the order of the keys, so the records of a subject, which share a partition, are neighbours: reading a token
-- with its grant touches pages that are close together, and a list of a partition is a range.
-- Numbers that may exceed 63 bits (epochs, revisions) are kept by their bits.
CREATE TABLE record (
  key           BLOB    NOT NULL PRIMARY KEY,
  kind          INTEGER NOT NULL, -- as in the key; here for the indexes
  tenant        BLOB    NOT NULL,
  revision      INTEGER NOT NULL,
  state         INTEGER NOT NULL, -- 1 live, 2 inactive, 3 revoked, 4 deleted
  epoch         INTEGER NOT NULL,
  parent        BLOB,
  parent_epoch  INTEGER,
  client        BLOB,             -- the owner's
  client_epoch  INTEGER,
  subject       BLOB,             -- the owner's; null where the owner is a client alone
  subject_epoch INTEGER,
  name          TEXT,             -- the three labels, or none of them
  public_id     TEXT,
  class         TEXT,
  created_at    INTEGER NOT NULL, -- milliseconds since 1970; 9223372036854775807 is "never"
  expires_at    INTEGER NOT NULL,
  purge_after   INTEGER NOT NULL,
  used_at       INTEGER,          -- null until it is spent
  used_answer   BLOB,
  payload       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- What may be forgotten, soonest first.
CREATE INDEX record_by_purge ON record (purge_after) WHERE purge_after < 9223372036854775807;
-- Lists of a kind by time. The key follows in every index, and makes the order total.
CREATE INDEX record_by_time ON record (tenant, kind, created_at);
-- What a client owns: tokens leave their owner to their grant and are not here.
CREATE INDEX record_by_client ON record (client, kind, created_at) WHERE client IS NOT NULL;
-- What has a name, by name.
CREATE INDEX record_by_name ON record (tenant, kind, name) WHERE name IS NOT NULL;

-- The outbox. A number is never given twice, also not after the newest event was forgotten: a cursor that was handed out stays true.
CREATE TABLE event (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  tenant BLOB    NOT NULL,
  json   TEXT    NOT NULL
) STRICT;

CREATE INDEX event_by_tenant ON event (tenant);
