DELETE FROM event WHERE number IN (
  SELECT number FROM event INDEXED BY event_by_tenant WHERE tenant = ?1 AND number <= ?2 ORDER BY number LIMIT ?3
)
