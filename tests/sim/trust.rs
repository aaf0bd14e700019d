//! Who gets a link at all.

use std::sync::Arc;

use common::{
    frame::{BadFrame, Frame},
    net::{
        endpoint::client_config,
        stream::{FrameReader, ReadError},
        tls::{Certificate, SERVER_NAME, key_of},
    },
    wire::{peer, peer::PeerFrame, tracker},
};
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint,
    crypto::rustls::QuicClientConfig,
    rustls::{
        self, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};
use tests::sim::{Net, run};

use crate::hosts::{LIMITS, dialling, endpoint, host, identity};

/// What comes of it when host 1 dials host 2 in this way: what host 1 sees in the end, and what host 2 sees.
async fn attempt(client: ClientConfig) -> (Result<Connection, ConnectionError>, Result<Connection, ConnectionError>) {
    let net = Net::new(1);
    let (one, two) = (endpoint(&net, 1), endpoint(&net, 2));
    tokio::join!(biased; dial(&one, client), async { two.accept().await.unwrap().await })
}

async fn dial(endpoint: &Endpoint, client: ClientConfig) -> Result<Connection, ConnectionError> {
    endpoint.connect_with(client, host(2), SERVER_NAME).unwrap().await
}

fn alert(error: &ConnectionError) -> Option<u8> {
    let code = match error {
        ConnectionError::TransportError(error) => u64::from(error.code),
        ConnectionError::ConnectionClosed(close) => u64::from(close.error_code),
        _ => return None,
    };
    u8::try_from(code.checked_sub(0x100)?).ok()
}

#[test]
fn a_handshake_proves_both_keys() {
    run(async {
        let (dialled, accepted) = attempt(dialling(1, 2)).await;
        assert_eq!(key_of(&dialled.unwrap()), Some(identity(2).key()));
        assert_eq!(key_of(&accepted.unwrap()), Some(identity(1).key()));
    });
}

#[test]
fn another_key_than_the_expected_one_is_refused() {
    run(async {
        let (dialled, accepted) = attempt(dialling(1, 3)).await;
        assert!(alert(&dialled.unwrap_err()).is_some());
        assert!(accepted.is_err());
    });
}

#[test]
fn another_protocol_is_refused() {
    const NO_APPLICATION_PROTOCOL: u8 = 120;
    run(async {
        let certificate = Certificate::new(&identity(1)).unwrap();
        let client = client_config(&certificate, tracker::ALPN, None, &LIMITS).unwrap();
        let (dialled, accepted) = attempt(client).await;
        assert_eq!(alert(&dialled.unwrap_err()), Some(NO_APPLICATION_PROTOCOL));
        assert!(accepted.is_err());
    });
}

#[test]
fn who_shows_no_certificate_is_refused() {
    const CERTIFICATE_REQUIRED: u8 = 116;
    run(async {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        tls.alpn_protocols = vec![peer::ALPN.to_vec()];
        let (dialled, accepted) = attempt(ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))).await;
        assert_eq!(alert(&accepted.unwrap_err()), Some(CERTIFICATE_REQUIRED));
        let seen = match dialled {
            Ok(connection) => connection.closed().await,
            Err(error) => error,
        };
        assert_eq!(alert(&seen), Some(CERTIFICATE_REQUIRED));
    });
}

#[test]
fn a_frame_over_the_limit_is_refused_from_its_header_alone() {
    run(async {
        let (dialled, accepted) = attempt(dialling(1, 2)).await;
        let (dialled, accepted) = (dialled.unwrap(), accepted.unwrap());
        let (mut send, _recv) = dialled.open_bi().await.unwrap();
        send.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        let (_send, recv) = accepted.accept_bi().await.unwrap();
        let read = FrameReader::new(recv).next::<PeerFrame>().await;
        let limit = PeerFrame::LIMIT;
        assert!(matches!(read, Err(ReadError::Frame(BadFrame::TooLong { limit: l, .. })) if l == limit), "{read:?}");
    });
}

/// Takes any server, and no notice of it.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
