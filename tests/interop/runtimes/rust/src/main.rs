//! Discovery and a token with reqwest, as it comes.

use reqwest::blocking::Client;
use serde_json::{Map, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name| std::env::var(name);
    let server = variable("AS_URL")?;
    let client = Client::new();
    let discovery = client.get(format!("{server}/.well-known/openid-configuration"));
    println!("{}", discovery.send()?.json::<Map<String, Value>>()?.len());
    let token = client
        .post(format!("{server}/token"))
        .basic_auth(variable("CLIENT_ID")?, Some(variable("CLIENT_SECRET")?))
        .form(&[("grant_type", "client_credentials")]);
    let fields = token.send()?.json::<Map<String, Value>>()?;
    println!("{}", fields.keys().cloned().collect::<Vec<_>>().join(" "));
    Ok(())
}
