-- Version 2: lists that are filtered, of many records that have names (clients, above all).

PRAGMA user_version = 2;

-- With all that a list of named records is filtered by, so that what does not match is passed over without looking at its row.
DROP INDEX record_by_name;
CREATE INDEX record_by_name ON record (tenant, kind, name, key, state, class, public_id) WHERE name IS NOT NULL;
CREATE INDEX record_named_by_time ON record (tenant, kind, created_at, key, state, class, name, public_id)
  WHERE name IS NOT NULL;
-- The few that are not live, among the many that are.
CREATE INDEX record_by_state ON record (tenant, kind, state, created_at) WHERE state <> 1;
