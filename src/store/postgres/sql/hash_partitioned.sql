-- Optional, and before 0001_records.sql: the table of records in 16 pieces, by the hash of the partition that a record is of.
-- Every statement of the store names the partition, so each works in one piece, but for lists of a whole server and purges.

CREATE SCHEMA IF NOT EXISTS grantor;

CREATE TABLE grantor.record (
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
) PARTITION BY HASH (partition);

DO $$
BEGIN
    FOR piece IN 0 .. 15 LOOP
        EXECUTE format(
            'CREATE TABLE grantor.record_%s PARTITION OF grantor.record FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            piece, piece);
    END LOOP;
END
$$;
