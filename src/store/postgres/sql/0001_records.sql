-- Records, and the events that tell of them. Everything lives in the schema "grantor" and is named in full.
-- Apply in one transaction. Names and meaning of the columns: src/store/record.rs.

CREATE SCHEMA IF NOT EXISTS grantor;

-- Which of these files were applied.
CREATE TABLE grantor.migration (
    number      integer     PRIMARY KEY,
    name        text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);

-- Moments are milliseconds since 1970; epochs are unsigned 64-bit numbers, bit for bit. A parent and a subject live in the
-- partition of the record itself. A record travels as a row in binary form, so the order of the columns is part of what a node
-- knows: a later step may only add some behind. Whoever wants the table partitioned by hash makes it before: see hash_partitioned.sql.
CREATE TABLE IF NOT EXISTS grantor.record (
    created_at        bigint   NOT NULL,
    expires_at        bigint   NOT NULL,
    purge_after       bigint   NOT NULL,
    revision          bigint   NOT NULL,
    epoch             bigint   NOT NULL,
    partition         integer  NOT NULL,
    kind              smallint NOT NULL,
    state             smallint NOT NULL,
    id                bytea    NOT NULL,
    tenant            bytea    NOT NULL,
    payload           bytea    NOT NULL,
    parent_kind       smallint,
    parent_id         bytea,
    parent_epoch      bigint,
    client_partition  integer,
    client_kind       smallint,
    client_id         bytea,
    client_epoch      bigint,
    subject_kind      smallint,
    subject_id        bytea,
    subject_epoch     bigint,
    used_at           bigint,
    used_answer       bytea,
    name              text COLLATE "C",
    public_id         text COLLATE "C",
    class             text COLLATE "C",
    PRIMARY KEY (partition, kind, id)
);

-- What may be forgotten next.
CREATE INDEX record_by_purge ON grantor.record (purge_after);
-- Lists by time, and those by owner that no partition narrows. What a partition narrows, the primary key finds.
CREATE INDEX record_by_time ON grantor.record (tenant, kind, created_at);
CREATE INDEX record_by_client ON grantor.record (client_id, kind, created_at) WHERE client_id IS NOT NULL;
-- Only the head of a name, since an entry of an index has an upper bound and a name has none.
CREATE INDEX record_by_name ON grantor.record (tenant, kind, left(name, 100)) WHERE name IS NOT NULL;

-- The numbers of commits, as far as they tell events. It must not be cached by sessions: the order of the numbers is the order of time.
CREATE SEQUENCE grantor.event_position CACHE 1;

CREATE TABLE grantor.event (
    position   bigint  NOT NULL, -- of the commit
    number     integer NOT NULL, -- within the commit
    partition  integer NOT NULL,
    tenant     bytea   NOT NULL,
    event      text    NOT NULL,
    PRIMARY KEY (tenant, position, number, partition)
);

INSERT INTO grantor.migration (number, name) VALUES (1, 'records');
