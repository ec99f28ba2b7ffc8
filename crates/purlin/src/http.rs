//! The HTTP client: proxies, certificates, redirects. Built once for each base address.
//!
//! The system's certificates take 3 ms to read, and there may be none; so they are read on a
//! thread of their own while the connection is made, and not at all for plain `http://`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, StatusCode, Url};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

const USER_AGENT: &str = concat!("purlin/", env!("CARGO_PKG_VERSION"));

/// A client for one base address.
///
/// Proxies come from the environment, but never for this machine. It has no limits of time: a
/// wire watches its own streams.
///
/// # Errors
/// When the address is none, or a proxy in the environment is none.
pub(crate) fn client(base_url: &str) -> anyhow::Result<Client> {
    let url = Url::parse(base_url).with_context(|| format!("reading the address {base_url:?}"))?;
    let trust = Arc::new(Trust::new(Arc::new(ring::default_provider())));
    if url.scheme() == "https" {
        trust.read_ahead();
    }
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::custom(follow))
        .tls_backend_preconfigured(tls(trust)?);
    if purlin_providers::vendor::is_loopback(&url) {
        builder = builder.no_proxy();
    }
    builder.build().with_context(|| format!("preparing to connect to {base_url}"))
}

/// Follows only what repeats the request at the same place: another place must not see the key,
/// and the older redirects turn a POST into a GET. The response tells the person where it points.
fn follow(attempt: Attempt<'_>) -> Action {
    let repeats = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
    let same_place = attempt.previous().last().map(Url::origin) == Some(attempt.url().origin());
    if same_place && attempt.previous().len() <= 3 && repeats.contains(&attempt.status()) {
        return attempt.follow();
    }
    attempt.stop()
}

fn tls(trust: Arc<Trust>) -> anyhow::Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&trust.crypto))
        .with_safe_default_protocol_versions()
        .context("choosing TLS versions")?
        .dangerous()
        .with_custom_certificate_verifier(trust)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Whom to trust: the system's authorities (with `SSL_CERT_FILE`, those in that file), and where
/// the system has none, the usual ones.
struct Trust {
    crypto: Arc<CryptoProvider>,
    roots: OnceLock<Result<Arc<dyn ServerCertVerifier>, Error>>,
}

impl Trust {
    fn new(crypto: Arc<CryptoProvider>) -> Self {
        Self { crypto, roots: OnceLock::new() }
    }

    /// Reads the authorities on another thread. Where none can be had, the handshake reads them.
    fn read_ahead(self: &Arc<Self>) {
        let trust = Arc::clone(self);
        let read = move || drop(trust.roots());
        drop(std::thread::Builder::new().name("certificates".to_owned()).spawn(read));
    }

    fn roots(&self) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        self.roots.get_or_init(|| self.read()).clone()
    }

    fn read(&self) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        match rustls_platform_verifier::Verifier::new(Arc::clone(&self.crypto)) {
            Ok(system) => Ok(Arc::new(system)),
            Err(_) => self.usual(),
        }
    }

    fn usual(&self) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.crypto))
            .build()
            .map(|usual| usual as Arc<dyn ServerCertVerifier>)
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Trust").field("read", &self.roots.get().is_some()).finish_non_exhaustive()
    }
}

/// Only the certificate itself needs the authorities; the rest of a handshake must not wait.
impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = self.roots()?;
        roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.crypto.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.crypto.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
