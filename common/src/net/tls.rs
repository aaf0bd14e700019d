//! Mutual TLS 1.3 whose certificates are self-signed by the identity key: a handshake proves which key is there, and
//! nothing else is believed. Who that key is, and whether it is welcome, is for the tables to say.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::{id::Key, identity::Identity};

/// The name in every certificate and handshake: it means nothing, since keys are what is checked.
pub const SERVER_NAME: &str = "rollcall";

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused its parameters.
    #[error("cannot set up TLS: {0}")]
    Config(#[from] rustls::Error),
}

/// A self-signed certificate and its key, made afresh at each start from the identity.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Clone for Certificate {
    fn clone(&self) -> Self {
        Certificate { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Certificate {
    /// The certificate of `identity`.
    pub fn new(identity: &Identity) -> Result<Certificate, TlsError> {
        let pkcs8 = pkcs8(identity);
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), &PKCS_ED25519)?;
        let certificate = CertificateParams::new([SERVER_NAME.to_string()])?.self_signed(&pair)?;
        Ok(Certificate { chain: vec![certificate.der().clone()], key: PrivateKeyDer::Pkcs8(pkcs8.into()) })
    }

    /// For accepting links of one protocol from any key.
    pub fn server(&self, alpn: &[u8]) -> Result<rustls::ServerConfig, TlsError> {
        let provider = provider();
        let verifier = AnyKey { algorithms: provider.signature_verification_algorithms };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![alpn.to_vec()];
        // A resumed session would skip the check of the key.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    /// For dialling; `expected` is the key that must be there, or `None` to take and learn any.
    pub fn client(&self, alpn: &[u8], expected: Option<Key>) -> Result<rustls::ClientConfig, TlsError> {
        let provider = provider();
        let verifier = ThisKey { expected, algorithms: provider.signature_verification_algorithms };
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![alpn.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(config)
    }
}

/// The key that the other side of a connection has proven.
pub fn key_of(connection: &quinn::Connection) -> Option<Key> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast_ref::<Vec<CertificateDer<'static>>>()?;
    key_in(chain.first()?).ok()
}

/// PKCS #8 of an Ed25519 seed (RFC 8410): the fixed prefix and the seed.
fn pkcs8(identity: &Identity) -> Vec<u8> {
    const PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    [&PREFIX[..], &identity.seed()].concat()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The Ed25519 key of a certificate: the last 32 of the 44 bytes of its SubjectPublicKeyInfo (RFC 8410).
fn key_in(certificate: &CertificateDer<'_>) -> Result<Key, rustls::Error> {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let bad = rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
    let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|_| bad.clone())?;
    let spki = parsed.subject_public_key_info();
    let key = spki.strip_prefix(&PREFIX[..]).and_then(|key| key.try_into().ok()).ok_or(bad)?;
    Ok(Key(key))
}

#[derive(Debug)]
struct ThisKey {
    expected: Option<Key>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ThisKey {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = key_in(certificate)?;
        match self.expected {
            Some(expected) if expected != found => {
                Err(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

#[derive(Debug)]
struct AnyKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        key_in(certificate).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
