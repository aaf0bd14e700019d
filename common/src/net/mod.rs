//! What a shell needs to speak the wire: TLS with identity keys, an endpoint, framed streams; and the pages for
//! whoever watches over it.

pub mod endpoint;
pub mod page;
pub mod stream;
pub mod tls;
