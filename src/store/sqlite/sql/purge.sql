DELETE FROM record WHERE key IN (
  SELECT key FROM record INDEXED BY record_by_purge
  -- The second bound is that of the index: without it, the index cannot be used.
  WHERE purge_after < ?1 AND purge_after < 9223372036854775807
  ORDER BY purge_after
  LIMIT ?2
)
