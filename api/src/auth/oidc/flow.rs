//! The code flow with PKCE, refreshing, and signing out at the provider.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::discovery::Metadata;
use super::{OidcError, Provider, bounded, unavailable};

/// Bytes of what nobody may guess.
const RANDOM: usize = 32;

/// What OpenID adds to an answer of OAuth 2.0.
#[derive(Debug, Serialize, Deserialize)]
struct IdentityField {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdentityField {}

type Answer = StandardTokenResponse<IdentityField, BasicTokenType>;
type Relying = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What one sign-in goes by.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Comes back in the address; bound to the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// What the code can be used with alone.
    pub verifier: String,
}

/// What the provider gave. Dropping it overwrites it.
pub struct Tokens {
    /// Says who somebody is. A refresh need not bring one.
    pub identity: Option<Zeroizing<String>>,
    /// Opens APIs.
    pub access: Zeroizing<String>,
    /// Gets new ones.
    pub refresh: Option<Zeroizing<String>>,
    /// How long the access token lasts, in the provider's words.
    pub expires_in: Option<std::time::Duration>,
}

impl Authorization {
    /// Draws everything anew.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn draw() -> Result<Self, getrandom::Error> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()? })
    }
}

/// A text of 256 bits that nobody guesses.
///
/// # Errors
/// When the system gives no random bytes.
pub fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Provider {
    /// Where the browser goes to sign in.
    ///
    /// # Errors
    /// When the provider is away, and was never heard of.
    pub async fn authorize_url(&self, authorization: &Authorization) -> Result<Url, OidcError> {
        let client = self.client(&*self.metadata().await?)?;
        let verifier = PkceCodeVerifier::new(authorization.verifier.clone());
        let state = authorization.state.clone();
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(["openid", "profile", "email"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_extra_param("nonce", &authorization.nonce)
            .url();
        Ok(url)
    }

    /// Whether an answer with this `iss` (RFC 9207) is by the provider that was asked.
    ///
    /// # Errors
    /// When the provider is away, and was never heard of.
    pub async fn answered(&self, issuer: Option<&str>) -> Result<bool, OidcError> {
        Ok(match issuer {
            Some(issuer) => issuer == self.config().issuer,
            None => !self.metadata().await?.authorization_response_iss_parameter_supported,
        })
    }

    /// Turns a code into tokens.
    ///
    /// # Errors
    /// When the provider refuses the code, or is away.
    pub async fn exchange(&self, code: &str, verifier: &str) -> Result<Tokens, OidcError> {
        let client = self.client(&*self.metadata().await?)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        Ok(tokens(request.request_async(self).await.map_err(fault)?))
    }

    /// Gets new tokens for a refresh token, which may be over after that.
    ///
    /// # Errors
    /// [`OidcError::Refused`] when the sign-in is over, others when nobody can tell.
    pub async fn refresh(&self, token: &str) -> Result<Tokens, OidcError> {
        let client = self.client(&*self.metadata().await?)?;
        let token = RefreshToken::new(token.to_owned());
        Ok(tokens(client.exchange_refresh_token(&token).request_async(self).await.map_err(fault)?))
    }

    /// Where the browser goes to sign out at the provider too; it comes back to `to`. `None` when it knows no such thing.
    ///
    /// # Errors
    /// When the provider is away, and was never heard of.
    pub async fn sign_out_url(&self, identity: Option<&str>, to: &str) -> Result<Option<Url>, OidcError> {
        let Some(mut url) = self.metadata().await?.end_session_endpoint.clone() else { return Ok(None) };
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("client_id", &self.config().client_id).append_pair("post_logout_redirect_uri", to);
            if let Some(identity) = identity {
                query.append_pair("id_token_hint", identity);
            }
        }
        Ok(Some(url))
    }

    fn client(&self, metadata: &Metadata) -> Result<Relying, OidcError> {
        let config = self.config();
        let redirect = RedirectUrl::new(config.redirect_url());
        let redirect = redirect.map_err(|error| OidcError::Unavailable(error.to_string()))?;
        Ok(Client::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.expose().to_owned()))
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
            .set_redirect_uri(redirect))
    }

    async fn send(&self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, OidcError> {
        let request = reqwest::Request::try_from(request).map_err(unavailable)?;
        let response = self.0.http.execute(request).await.map_err(unavailable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        // A provider that is down behind its proxy has refused nothing.
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(OidcError::Unavailable(format!("its token endpoint answers {status}")));
        }
        let mut answer = oauth2::HttpResponse::new(bounded(response).await?);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = OidcError;
    type Future = BoxFuture<'c, Result<oauth2::HttpResponse, OidcError>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

fn tokens(answer: Answer) -> Tokens {
    Tokens {
        identity: answer.extra_fields().id_token.clone().map(Zeroizing::new),
        access: Zeroizing::new(answer.access_token().secret().clone()),
        refresh: answer.refresh_token().map(|token| Zeroizing::new(token.secret().clone())),
        expires_in: answer.expires_in(),
    }
}

fn fault(error: RequestTokenError<OidcError, BasicErrorResponse>) -> OidcError {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            // Our own credentials, not the person's sign-in: an operator's mistake ends nobody's session.
            BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
                OidcError::Misconfigured { document: "client", fault: format!("it says {}", answer.error()) }
            }
            error => OidcError::Refused(error.to_string()),
        },
        // The body is not shown: it may hold tokens.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            OidcError::Unavailable("its token endpoint answers what nobody understands".to_owned())
        }
    }
}
