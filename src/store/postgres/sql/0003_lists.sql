-- Lists of what is not live: few, among the many that are.

CREATE INDEX record_by_state ON grantor.record (tenant, kind, state, created_at) WHERE state <> 1;

INSERT INTO grantor.migration (number, name) VALUES (3, 'lists');
