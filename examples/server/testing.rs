//! `--testing`: a server for tests in any language, which can be told over HTTP what it would not do by itself.

use std::error::Error;
use std::net::SocketAddr;

use grantor::testing::TestServer;

/// Serves until it is stopped.
pub(crate) async fn serve(listen: Option<SocketAddr>) -> Result<(), Box<dyn Error>> {
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    // `TestServer` would panic, as in a test; somebody at a terminal is told.
    drop(std::net::TcpListener::bind(listen).map_err(|error| format!("cannot listen on {listen}: {error}"))?);
    let server = TestServer::builder().listen(listen.to_string()).control().running_clock().start().await;
    let mut stopped = super::asked_to_stop()?;
    print(&server);
    stopped.wait_for(|asked| *asked).await?;
    Ok(())
}

fn print(server: &TestServer) {
    let control = server.url("/_testing");
    println!("grantor, a server for tests: whoever reaches it can do anything\n");
    println!("  issuer        {}", server.issuer());
    println!("  metadata      {}", server.url("/.well-known/oauth-authorization-server"));
    let (id, secret) = (TestServer::CLIENT_ID, TestServer::CLIENT_SECRET);
    println!("  client        {id}, secret {secret}, redirect {}", TestServer::REDIRECT_URI);
    let (id, secret) = (TestServer::RESOURCE_SERVER_ID, TestServer::RESOURCE_SERVER_SECRET);
    println!("  client        {id}, secret {secret}, which may introspect every token");
    println!("  user          alice, who is signed in and agrees to everything");
    println!("  seed          {}", server.seed());
    println!("\nWhat can be asked of it, beside OAuth; docs/testing.md tells the rest:\n");
    println!("  curl -d '{{\"subject\":\"alice\",\"scope\":\"read\"}}' {control}/tokens");
    println!("  curl -d '{{\"advance\":46800}}' {control}/clock");
    println!("  curl -d '{{\"fault\":\"error\",\"error\":\"invalid_grant\",\"path\":\"/token\"}}' {control}/faults");
    println!("  curl {control}/requests");
    println!("\nCtrl-C stops it.");
}
