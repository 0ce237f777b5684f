INSERT INTO event (tenant, json) VALUES (?1, ?2)
