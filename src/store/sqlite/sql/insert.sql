INSERT INTO record (
  key, kind, tenant, revision, state, epoch, parent, parent_epoch, client, client_epoch, subject, subject_epoch,
  name, public_id, class, created_at, expires_at, purge_after, used_at, used_answer, payload
)
VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
ON CONFLICT (key) DO NOTHING
