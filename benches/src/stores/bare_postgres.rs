//! PostgreSQL: a connection for each client, with prepared statements.

use tokio_postgres::{Client, NoTls, Statement};

use super::floor::{Bare, Done, Id};

pub(super) struct BarePostgres {
    client: Client,
    select: Statement,
    write: Statement,
}

pub(super) async fn clients(url: &str, count: usize) -> Vec<Box<dyn Bare>> {
    let mut clients: Vec<Box<dyn Bare>> = Vec::new();
    for _ in 0..count {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let table = "CREATE TABLE IF NOT EXISTS floor (id bytea PRIMARY KEY, used bigint, row bytea NOT NULL)";
        client.batch_execute(table).await.unwrap();
        let select = client.prepare("SELECT row FROM floor WHERE id = ANY($1)").await.unwrap();
        let write = "WITH changed AS (UPDATE floor SET used = 1 WHERE id = ANY($1) AND used IS NULL RETURNING id), \
                     inserted AS (INSERT INTO floor SELECT id, NULL, $3 FROM unnest($2::bytea[]) AS id RETURNING id) \
                     SELECT (SELECT count(*) FROM changed) + (SELECT count(*) FROM inserted)";
        let write = client.prepare(write).await.unwrap();
        clients.push(Box::new(BarePostgres { client, select, write }));
    }
    clients
}

fn slices(ids: &[Id]) -> Vec<&[u8]> {
    ids.iter().map(Id::as_slice).collect()
}

impl Bare for BarePostgres {
    fn read<'a>(&'a mut self, ids: &'a [Id]) -> Done<'a> {
        Box::pin(async move {
            let rows = self.client.query(&self.select, &[&slices(ids)]).await.unwrap();
            assert_eq!(rows.len(), ids.len());
            std::hint::black_box(rows);
        })
    }

    fn write<'a>(&'a mut self, changed: &'a [Id], inserted: &'a [Id], row: &'a [u8]) -> Done<'a> {
        Box::pin(async move {
            let parameters = (slices(changed), slices(inserted));
            let row = self.client.query_one(&self.write, &[&parameters.0, &parameters.1, &row]).await.unwrap();
            assert_eq!(row.get::<_, i64>(0), i64::try_from(changed.len() + inserted.len()).unwrap());
        })
    }
}
