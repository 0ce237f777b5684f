//! The authorization code at the token endpoint (ids C).

use crate::harness::*;

#[tokio::test]
async fn rfc6749_4_1_4_a_code_buys_an_access_and_a_refresh_token() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let (access, refresh) = world.tokens(client).await;
        assert!(access.starts_with("gat_") && refresh.starts_with("grt_"));
        assert!(world.is_live(&access).await);
    }
}
