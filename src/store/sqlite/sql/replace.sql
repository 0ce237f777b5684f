UPDATE record SET
  kind = ?2, tenant = ?3, revision = revision + 1, state = ?4, epoch = ?5, parent = ?6, parent_epoch = ?7,
  client = ?8, client_epoch = ?9, subject = ?10, subject_epoch = ?11, name = ?12, public_id = ?13, class = ?14,
  created_at = ?15, expires_at = ?16, purge_after = ?17, used_at = ?18, used_answer = ?19, payload = ?20
WHERE key = ?1
