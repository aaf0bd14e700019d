//! Announces the tracker on the LAN, so that nobody has to type its address.

use std::{net::SocketAddr, time::Duration};

use common::{
    Domain, Key,
    wire::tracker::{MDNS_SERVICE, PROTOCOL},
};
use mdns_sd::{Error, ServiceDaemon, ServiceInfo};
use tokio::time::timeout;

/// An announcement by mDNS.
pub(crate) struct Announcement {
    daemon: ServiceDaemon,
}

impl Announcement {
    /// Announces the tracker at `address`; if that is unspecified, at all addresses that the machine has.
    pub fn new(address: SocketAddr, key: Key, domain: &Domain) -> Result<Announcement, Error> {
        let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let properties = [("version", PROTOCOL.to_string()), ("domain", domain.to_string()), ("key", key.to_string())];
        // A host name of its own keeps out of the way of whatever else announces this machine.
        let own_host = format!("rollcall-{}.local.", key.short());
        let instance = format!("{domain} on {host} {}", &key.to_string()[..8]);
        let info = |ip: &str| ServiceInfo::new(MDNS_SERVICE, &instance, &own_host, ip, address.port(), &properties[..]);
        let info = match address.ip().is_unspecified() {
            true => info("")?.enable_addr_auto(),
            false => info(&address.ip().to_string())?,
        };
        let daemon = ServiceDaemon::new()?;
        daemon.register(info)?;
        Ok(Announcement { daemon })
    }

    /// Says goodbye to the LAN, so that nobody looks here any more; takes at most a second.
    pub async fn end(self) {
        // A daemon that cannot be told has ended.
        if let Ok(done) = self.daemon.shutdown() {
            let _ = timeout(Duration::from_secs(1), done.recv_async()).await;
        }
    }
}
