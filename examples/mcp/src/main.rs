//! `cargo run --manifest-path examples/mcp/Cargo.toml [ADDRESS]`, then point an MCP client at the URL that is printed.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let server = grantor_example_mcp::authorization_server(&origin, grantor::fetch::HttpsFetch::new()?)?;
    println!("MCP server at {origin}/mcp");
    let alice = grantor_example_mcp::alice(&server);
    axum::serve(listener, grantor_example_mcp::app(server, alice)).await?;
    Ok(())
}
