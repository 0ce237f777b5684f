-- What a node calls: one function for each operation, so that each is one statement, one transaction and one round trip, and so
-- that its parts are planned once in a session, also where statements have no names. A function that is to do something else
-- gets another number and stands beside the old one, so that old and new nodes run side by side.
--
-- Scans of whole tables are switched off inside: a plan made while a table is small would otherwise be kept when it no longer is.

-- For each key four elements: the record, its parent, its client and its subject, each in the binary form of a row, or NULL. The
-- owner is the record's own or else its parent's. Being STABLE, all of it sees one moment.
CREATE FUNCTION grantor.load_v1(partitions integer[], kinds smallint[], ids bytea[])
RETURNS bytea[] LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE
    answer  bytea[] := '{}';
    it      bytea;
    parent  bytea;
    client  bytea;
    subject bytea;
    client_partition integer;
    client_kind      smallint;
    client_id        bytea;
    subject_kind     smallint;
    subject_id       bytea;
BEGIN
    FOR k IN 1 .. cardinality(ids) LOOP
        SELECT
                record_send(r), p.sent,
                CASE WHEN r.client_id IS NULL THEN p.client_partition ELSE r.client_partition END,
                CASE WHEN r.client_id IS NULL THEN p.client_kind ELSE r.client_kind END,
                CASE WHEN r.client_id IS NULL THEN p.client_id ELSE r.client_id END,
                CASE WHEN r.client_id IS NULL THEN p.subject_kind ELSE r.subject_kind END,
                CASE WHEN r.client_id IS NULL THEN p.subject_id ELSE r.subject_id END
            INTO it, parent, client_partition, client_kind, client_id, subject_kind, subject_id
            FROM grantor.record r
            -- OFFSET 0 keeps the planner from joining by the partition alone and filtering the rest, which costs the same while the table
            -- is new and reads a whole partition when it no longer is.
            LEFT JOIN LATERAL (
                SELECT record_send(q) AS sent, q.client_partition, q.client_kind, q.client_id, q.subject_kind, q.subject_id
                    FROM grantor.record q
                    WHERE q.partition = r.partition AND q.kind = r.parent_kind AND q.id = r.parent_id OFFSET 0
            ) p ON true
            WHERE r.partition = partitions[k] AND r.kind = kinds[k] AND r.id = ids[k];
        client := NULL;
        IF client_id IS NOT NULL THEN
            SELECT record_send(r) INTO client FROM grantor.record r
                WHERE r.partition = client_partition AND r.kind = client_kind AND r.id = client_id;
        END IF;
        subject := NULL;
        IF subject_id IS NOT NULL THEN
            SELECT record_send(r) INTO subject FROM grantor.record r
                WHERE r.partition = partitions[k] AND r.kind = subject_kind AND r.id = subject_id;
        END IF;
        -- One by one: these change the array in place, where joining two would copy it each time.
        answer := array_append(answer, it);
        answer := array_append(answer, parent);
        answer := array_append(answer, client);
        answer := array_append(answer, subject);
    END LOOP;
    RETURN answer;
END
$$;

-- All of a commit, or nothing. Answers 0 if it was applied, n if the nth condition failed, -n if the nth write did.
--
-- First every record that is conditioned on or changed is locked, in the order of the keys, so that no two commits wait for each
-- other: for sharing where it is only looked at. From there on it stays as it was seen. The writes follow in their order,
-- each with its guard in its own predicate. A write that fails after others have happened takes them back by raising GR001.
-- What another commit has changed since this one's snapshot, where the session keeps one snapshot for a whole transaction,
-- raises 40001, and the caller asks again.
CREATE FUNCTION grantor.commit_v1(
    durable boolean, at_partition integer,
    lock_kind smallint[], lock_id bytea[], lock_alone boolean[],
    condition_lock integer[], condition_what smallint[], condition_value bigint[],
    write_what smallint[], kind smallint[], id bytea[], tenant bytea[], state smallint[], epoch bigint[],
    created_at bigint[], expires_at bigint[], purge_after bigint[], payload bytea[],
    parent_kind smallint[], parent_id bytea[], parent_epoch bigint[],
    client_partition integer[], client_kind smallint[], client_id bytea[], client_epoch bigint[],
    subject_kind smallint[], subject_id bytea[], subject_epoch bigint[],
    name text[], public_id text[], class text[], used_at bigint[], used_answer bytea[],
    event_tenant bytea, events text[])
RETURNS integer LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE
    seen      record;
    failed    integer;
    low       bigint;
    place     bigint;
BEGIN
    -- Until the end of the transaction, whatever the session would have.
    IF durable AND current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    FOR l IN 1 .. cardinality(lock_id) LOOP
        LOOP
            IF lock_alone[l] THEN
                SELECT r.state, r.epoch, r.revision, r.used_at INTO seen FROM grantor.record r
                    WHERE r.partition = at_partition AND r.kind = lock_kind[l] AND r.id = lock_id[l] FOR UPDATE;
            ELSE
                SELECT r.state, r.epoch, r.revision, r.used_at INTO seen FROM grantor.record r
                    WHERE r.partition = at_partition AND r.kind = lock_kind[l] AND r.id = lock_id[l] FOR SHARE;
            END IF;
            EXIT WHEN FOUND;
            -- Whoever waits for a record that is deleted and made anew in one commit is told that there is none: look again.
            PERFORM FROM grantor.record r
                WHERE r.partition = at_partition AND r.kind = lock_kind[l] AND r.id = lock_id[l];
            EXIT WHEN NOT FOUND;
        END LOOP;
        FOR c IN 1 .. cardinality(condition_lock) LOOP
            CONTINUE WHEN condition_lock[c] <> l OR failed < c;
            -- A record that is not there has NULL in every column, and fulfils nothing.
            CONTINUE WHEN CASE condition_what[c]
                WHEN 1 THEN seen.revision IS NOT NULL AND seen.used_at IS NULL
                WHEN 2 THEN seen.state = 1 AND seen.epoch = condition_value[c]
                WHEN 3 THEN seen.revision = condition_value[c]
            END;
            failed := c;
        END LOOP;
    END LOOP;
    IF failed IS NOT NULL THEN
        RETURN failed;
    END IF;

    FOR w IN 1 .. cardinality(write_what) LOOP
        CASE write_what[w]
        WHEN 1 THEN
            INSERT INTO grantor.record (
                    partition, kind, id, tenant, revision, state, epoch, created_at, expires_at, purge_after, payload,
                    parent_kind, parent_id, parent_epoch, client_partition, client_kind, client_id, client_epoch,
                    subject_kind, subject_id, subject_epoch, name, public_id, class, used_at, used_answer)
                VALUES (
                    at_partition, kind[w], id[w], tenant[w], 1, state[w], epoch[w],
                    created_at[w], expires_at[w], purge_after[w], payload[w],
                    parent_kind[w], parent_id[w], parent_epoch[w],
                    client_partition[w], client_kind[w], client_id[w], client_epoch[w],
                    subject_kind[w], subject_id[w], subject_epoch[w],
                    name[w], public_id[w], class[w], used_at[w], used_answer[w])
                ON CONFLICT DO NOTHING;
        WHEN 2 THEN
            UPDATE grantor.record r SET
                    tenant = tenant[w], revision = r.revision + 1, state = state[w], epoch = epoch[w],
                    created_at = created_at[w], expires_at = expires_at[w], purge_after = purge_after[w], payload = payload[w],
                    parent_kind = parent_kind[w], parent_id = parent_id[w], parent_epoch = parent_epoch[w],
                    client_partition = client_partition[w], client_kind = client_kind[w],
                    client_id = client_id[w], client_epoch = client_epoch[w],
                    subject_kind = subject_kind[w], subject_id = subject_id[w], subject_epoch = subject_epoch[w],
                    name = name[w], public_id = public_id[w], class = class[w],
                    used_at = used_at[w], used_answer = used_answer[w]
                WHERE r.partition = at_partition AND r.kind = kind[w] AND r.id = id[w];
        WHEN 3 THEN
            UPDATE grantor.record r SET
                    used_at = used_at[w], used_answer = used_answer[w], purge_after = purge_after[w], revision = r.revision + 1
                WHERE r.partition = at_partition AND r.kind = kind[w] AND r.id = id[w] AND r.used_at IS NULL;
        WHEN 4 THEN
            UPDATE grantor.record r SET state = state[w], revision = r.revision + 1
                WHERE r.partition = at_partition AND r.kind = kind[w] AND r.id = id[w];
        WHEN 5 THEN
            DELETE FROM grantor.record r
                WHERE r.partition = at_partition AND r.kind = kind[w] AND r.id = id[w];
        END CASE;
        IF NOT FOUND THEN
            IF w = 1 THEN
                RETURN -1;
            END IF;
            RAISE EXCEPTION USING
                ERRCODE = 'GR001', MESSAGE = 'a write was refused, and with it the commit', DETAIL = w::text;
        END IF;
    END LOOP;

    IF cardinality(events) > 0 THEN
        -- See grantor.event_horizon_v1. The first number is only a mark below which none of this commit's will lie.
        low := nextval('grantor.event_position');
        PERFORM pg_advisory_xact_lock_shared(1735552628, (low & 2147483647)::integer);
        place := nextval('grantor.event_position');
        INSERT INTO grantor.event (position, number, partition, tenant, event)
            SELECT place, e.number, at_partition, event_tenant, e.event
            FROM unnest(events) WITH ORDINALITY AS e (event, number);
    END IF;
    RETURN 0;
END
$$;

-- Up to which position the order of events is settled: no commit that is still under way can bring one at or below it.
--
-- A commit draws its position when it holds all its locks, so of two commits of which one rests on the other, the later has the
-- higher. But it may become visible later than one with a higher position. So before it draws its position, it draws a
-- mark and holds a lock of that number, which anyone can see, until it has ended. What lies at or below every mark that
-- is held, and at or below the last number drawn before looking at the locks, is settled. Neither the sequence nor the locks
-- depend on a snapshot: this is right at every level of isolation. The events themselves are to be read by a later transaction.
CREATE FUNCTION grantor.event_horizon_v1() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    drawn bigint;
    low   bigint;
BEGIN
    SELECT last_value INTO drawn FROM grantor.event_position;
    -- The lock has room for 31 bits of the mark; the rest is that of what was drawn about then.
    SELECT min(drawn - behind) INTO low FROM (
        SELECT (drawn - l.objid::bigint) & 2147483647 AS behind
        FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1735552628 AND l.objsubid = 2
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS held
    WHERE behind < 1073741824; -- a mark ahead of what was drawn
    RETURN least(drawn, low);
END
$$;

-- Forgets records, the longest due first, and passes over those that somebody is at work on. Tells how many went, and whether
-- any that is due is left.
CREATE FUNCTION grantor.purge_v1(before bigint, most integer, OUT removed integer, OUT more boolean)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM grantor.record r
        USING (
            SELECT d.partition, d.kind, d.id FROM grantor.record d
            WHERE d.purge_after < before ORDER BY d.purge_after LIMIT most FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE r.partition = due.partition AND r.kind = due.kind AND r.id = due.id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM FROM grantor.record r WHERE r.purge_after < before LIMIT 1;
    more := FOUND;
END
$$;

INSERT INTO grantor.migration (number, name) VALUES (2, 'functions');
