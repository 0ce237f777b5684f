UPDATE record SET state = ?2, revision = revision + 1 WHERE key = ?1
