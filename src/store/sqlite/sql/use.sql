UPDATE record SET used_at = ?2, used_answer = ?3, purge_after = ?4, revision = revision + 1
WHERE key = ?1 AND used_at IS NULL
