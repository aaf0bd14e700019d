//! Whether a tracker answers at an address, and with which key.

use std::{fmt, net::SocketAddr};

use common::{
    Key,
    net::{
        endpoint::{LinkLimits, client_config},
        tls::{self, Certificate, SERVER_NAME},
    },
    wire::tracker::ALPN,
};
use quinn::{Connection, ConnectionError, Endpoint};

/// Why there is no link to a tracker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreached {
    /// Nothing answered.
    Silent,
    /// What answers there speaks another protocol, or another version of this one.
    OtherProtocol,
    /// A tracker that takes no new links just now: it is ending, or has too many handshakes to do.
    Busy,
    /// Anything else, as the system or the other side says it.
    Failed(String),
}

/// Dials what is at `address` as a tracker, whatever its key is, and gives the key that it has proven. Nothing is asked
/// of it yet, and nobody is logged in.
pub async fn tracker(
    endpoint: &Endpoint,
    certificate: &Certificate,
    limits: &LinkLimits,
    address: SocketAddr,
) -> Result<(Connection, Key), Unreached> {
    let failed = |error: &dyn fmt::Display| Unreached::Failed(error.to_string());
    let config = client_config(certificate, ALPN, None, limits).map_err(|error| failed(&error))?;
    let connecting = endpoint.connect_with(config, address, SERVER_NAME).map_err(|error| failed(&error))?;
    let connection = connecting.await?;
    let key = tls::key_of(&connection).ok_or_else(|| failed(&"it has shown no key"))?;
    Ok((connection, key))
}

impl From<ConnectionError> for Unreached {
    fn from(error: ConnectionError) -> Unreached {
        /// QUIC's code for the TLS alert no_application_protocol (RFC 9001, 4.8; RFC 7301).
        const NO_PROTOCOL: u64 = 0x100 + 120;
        /// QUIC's CONNECTION_REFUSED (RFC 9000, 20.1).
        const REFUSED: u64 = 0x02;
        let code = match &error {
            ConnectionError::ConnectionClosed(close) => u64::from(close.error_code),
            ConnectionError::TransportError(error) => u64::from(error.code),
            ConnectionError::TimedOut => return Unreached::Silent,
            _ => 0,
        };
        match code {
            NO_PROTOCOL => Unreached::OtherProtocol,
            REFUSED => Unreached::Busy,
            _ => Unreached::Failed(error.to_string()),
        }
    }
}

/// For a person.
impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreached::Silent => f.write_str("nothing answers there"),
            Unreached::OtherProtocol => f.write_str(
                "what answers there speaks another version of the protocol; install the same version on both (tracker --version, \
                 peer --version)",
            ),
            Unreached::Busy => {
                f.write_str("it is there, and lets nobody in now: it shuts down, or very many log in at once")
            }
            Unreached::Failed(reason) => f.write_str(reason),
        }
    }
}
