SELECT state, epoch, revision, used_at IS NULL FROM record WHERE key = ?1
