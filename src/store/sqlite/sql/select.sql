SELECT
  key, kind, tenant, revision, state, epoch, parent, parent_epoch, client, client_epoch, subject, subject_epoch,
  name, public_id, class, created_at, expires_at, purge_after, used_at, used_answer, payload
FROM record
