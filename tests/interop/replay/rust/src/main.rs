//! openidconnect and oauth2 as their documentation says.

use std::collections::BTreeSet;
use std::error::Error;
use std::process::Command;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreDeviceAuthorizationResponse, CoreProviderMetadata,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::reqwest::blocking::Client;
use openidconnect::reqwest::redirect::Policy;
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse,
};

type Fallible<T> = Result<T, Box<dyn Error>>;
type Ready = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointSet,
    openidconnect::EndpointMaybeSet,
>;

fn variable(name: &str) -> Fallible<String> {
    Ok(std::env::var(name)?)
}

fn browse(to: &Url, redirect: &str) -> Fallible<Url> {
    let said = Command::new("python3")
        .args(["agent.py", to.as_str(), redirect])
        .output()?;
    let end = String::from_utf8(said.stdout)?.trim().to_owned();
    if end.starts_with("page: ") {
        println!("refused: {end}");
        std::process::exit(0);
    }
    Ok(Url::parse(&end)?)
}

struct Session {
    client: Ready,
    http: Client,
    flow: String,
    is_wrong: bool,
    redirect: String,
}

impl Session {
    fn login(&self) -> Fallible<CoreTokenResponse> {
        let (challenge, mut verifier) = PkceCodeChallenge::new_random_sha256();
        let (to, state, nonce) = self
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let back = browse(&to, &self.redirect)?;
        let get = |name: &str| {
            back.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if get("state").as_ref() != Some(state.secret()) {
            return Err("another state".into());
        }
        if self.is_wrong && self.flow == "code" {
            verifier = PkceCodeVerifier::new(verifier.secret().chars().rev().collect());
        }
        let code = AuthorizationCode::new(get("code").ok_or("no code")?);
        let tokens = self
            .client
            .exchange_code(code)
            .set_pkce_verifier(verifier)
            .request(&self.http)?;
        let id_token = tokens.id_token().ok_or("no ID Token")?;
        let id_verifier = self.client.id_token_verifier();
        let claims = id_token.claims(&id_verifier, &nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg()?;
            let key = id_token.signing_key(&id_verifier)?;
            if AccessTokenHash::from_token(tokens.access_token(), algorithm, key)? != *expected {
                return Err("another at_hash".into());
            }
        }
        println!("claims: of {}", claims.audiences().len());
        Ok(tokens)
    }

    fn userinfo(&self, tokens: &CoreTokenResponse) -> Fallible<()> {
        let asked = self.client.user_info(tokens.access_token().clone(), None)?;
        let claims: CoreUserInfoClaims = asked.request(&self.http)?;
        println!(
            "userinfo: {}",
            if claims.email().is_some() {
                "email sub"
            } else {
                "sub"
            }
        );
        Ok(())
    }

    fn refresh(&self) -> Fallible<()> {
        let first = self.login()?;
        let token = first.refresh_token().ok_or("no refresh token")?;
        let fresh = self
            .client
            .exchange_refresh_token(token)
            .request(&self.http)?;
        let is_same = fresh.refresh_token().map(|token| token.secret()) == Some(token.secret());
        println!(
            "refreshed: {} refresh token",
            if is_same { "the same" } else { "another" }
        );
        self.userinfo(&fresh)?;
        if self.is_wrong {
            self.client
                .exchange_refresh_token(token)
                .request(&self.http)?;
        }
        Ok(())
    }

    fn device(&self) -> Fallible<()> {
        let started: CoreDeviceAuthorizationResponse = self
            .client
            .exchange_device_code()
            .add_scope(Scope::new("email".to_owned()))
            .request(&self.http)?;
        println!("device: {} s", started.expires_in().as_secs());
        let tokens = self.client.exchange_device_access_token(&started).request(
            &self.http,
            std::thread::sleep,
            Some(Duration::from_secs(60)),
        )?;
        self.userinfo(&tokens)
    }

    fn play(&self) -> Fallible<()> {
        match self.flow.as_str() {
            "code" => self.userinfo(&self.login()?),
            "refresh" => self.refresh(),
            "device" => self.device(),
            "client_credentials" => {
                let tokens = self
                    .client
                    .exchange_client_credentials()
                    .request(&self.http)?;
                let scopes: BTreeSet<_> = tokens
                    .scopes()
                    .into_iter()
                    .flatten()
                    .map(|scope| scope.as_str())
                    .collect();
                println!("token: {:?} {scopes:?}", tokens.token_type());
                Ok(())
            }
            other => Err(format!("no flow {other}").into()),
        }
    }
}

/// What the server says, where it is an error of OAuth.
fn refusal(error: &(dyn Error + 'static)) -> Option<String> {
    type Plain = StandardErrorResponse<openidconnect::core::CoreErrorResponseType>;
    type Device = StandardErrorResponse<openidconnect::DeviceCodeErrorResponseType>;
    type Failed<E> =
        RequestTokenError<openidconnect::HttpClientError<openidconnect::reqwest::Error>, E>;
    if let Some(RequestTokenError::ServerResponse(said)) = error.downcast_ref::<Failed<Plain>>() {
        return Some(said.error().to_string());
    }
    match error.downcast_ref::<Failed<Device>>() {
        Some(RequestTokenError::ServerResponse(said)) => Some(said.error().to_string()),
        _ => None,
    }
}

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let flow = arguments.next().ok_or("no flow")?;
    let is_wrong = arguments.next().as_deref() == Some("wrong");
    let http = Client::builder().redirect(Policy::none()).build()?;
    let issuer = variable("ISSUER")?;
    let metadata = CoreProviderMetadata::discover(&IssuerUrl::new(issuer.clone())?, &http)?;
    let mut secret = variable("CLIENT_SECRET")?;
    if is_wrong && flow == "client_credentials" {
        secret += "-not";
    }
    let redirect = variable("REDIRECT_URI")?;
    let token_url = metadata
        .token_endpoint()
        .ok_or("no token endpoint")?
        .clone();
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(variable("CLIENT_ID")?),
        Some(ClientSecret::new(secret)),
    )
    .set_token_uri(token_url)
    .set_device_authorization_url(DeviceAuthorizationUrl::new(format!(
        "{issuer}/device/auth"
    ))?)
    .set_redirect_uri(RedirectUrl::new(redirect.clone())?);
    let session = Session {
        client,
        http,
        flow,
        is_wrong,
        redirect,
    };
    match session.play() {
        Ok(()) => println!("done"),
        Err(error) => match refusal(&*error) {
            Some(said) => println!("refused: {said}"),
            None => return Err(error),
        },
    }
    Ok(())
}
