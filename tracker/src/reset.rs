//! A tracker that was killed and is back knows nothing of the links it had. What it can do, since its key is still the
//! same, is to tell a peer so at its first packet (QUIC's stateless reset, RFC 9000 section 10.3), which else would
//! find out only by silence.

use std::{sync::Arc, time::Duration};

use common::Identity;
use quinn::{
    EndpointConfig,
    crypto::{CryptoError, HmacKey},
};
use quinn_proto::HashedConnectionIdGenerator;

/// The part of an endpoint's config that has to be the same after a restart.
pub fn endpoint_config(identity: &Identity) -> EndpointConfig {
    // Nobody but the owner of the key can make this signature, and it is never shown.
    let secret = blake3::derive_key("rollcall 1 tracker stateless reset", &identity.sign(b"rollcall stateless reset"));
    let mut cid = [0; 8];
    cid.copy_from_slice(&blake3::derive_key("rollcall 1 tracker connection ids", &secret)[..8]);
    let cid = u64::from_be_bytes(cid);
    let mut config = EndpointConfig::new(Arc::new(ResetKey(secret)));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(cid)));
    // A thousand peers are to know within their keep-alive.
    // At each packet: all keep-alives may come at once, and whoever is not told waits for silence. A reset is shorter than
    // what it answers, so nobody gains by asking for many.
    config.min_reset_interval(Duration::ZERO);
    config
}

struct ResetKey([u8; 32]);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature: &mut [u8]) {
        signature.copy_from_slice(blake3::keyed_hash(&self.0, data).as_bytes());
    }

    fn signature_len(&self) -> usize {
        blake3::OUT_LEN
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        // `Hash` compares in constant time.
        let found = <[u8; 32]>::try_from(signature).map_err(|_| CryptoError)?;
        if blake3::keyed_hash(&self.0, data) == found { Ok(()) } else { Err(CryptoError) }
    }
}
