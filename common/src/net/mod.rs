//! What a shell needs to speak the wire: TLS with identity keys, an endpoint, framed streams.

pub mod endpoint;
pub mod stream;
pub mod tls;
