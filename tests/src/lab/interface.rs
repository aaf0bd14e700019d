//! Makes and configures interfaces through netlink, so that no tool need be installed.

use std::{
    net::{IpAddr, Ipv4Addr},
    process,
};

use anyhow::Context;
use rtnetlink::{
    Error, Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder, new_connection,
    packet_route::{
        address::{AddressAttribute, AddressFlags},
        link::{InfoData, InfoVeth, LinkAttribute, LinkFlags},
    },
};

use super::sys;

/// What a host's interface is called in its namespace.
pub const NAME: &str = "eth0";

/// Chosen here, and high: some kernels put interfaces of their own into every namespace.
const ETH: u32 = 77;

/// Brings up an interface in the namespace of this thread.
pub fn bring_up(name: &str) -> anyhow::Result<()> {
    let message = LinkUnspec::new_with_name(name).up().build();
    on_netlink(async |netlink| netlink.link().set(message).execute().await)
        .with_context(|| format!("cannot bring up {name}"))
}

/// Takes down `eth0` in the namespace of this thread.
pub fn unplug() -> anyhow::Result<()> {
    let message = LinkUnspec::new_with_name(NAME).down().build();
    on_netlink(async |netlink| netlink.link().set(message).execute().await).context("cannot take down an interface")
}

/// Makes `eth0` in the namespace of this thread one that sends no multicast.
pub fn without_multicast() -> anyhow::Result<()> {
    let mut message = LinkUnspec::new_with_name(NAME).build();
    message.header.flags.remove(LinkFlags::Multicast);
    message.header.change_mask = LinkFlags::Multicast;
    on_netlink(async |netlink| netlink.link().set(message).execute().await).context("cannot change an interface")
}

/// Makes `eth0` in the namespace of this thread, with these addresses and a route for multicast. Its other end is
/// `plug`, in the namespace of the process, and still down.
pub fn plug_in(plug: &str, addresses: &[(IpAddr, u8)]) -> anyhow::Result<()> {
    bring_up("lo")?;
    on_netlink(async |netlink| {
        let far_end = LinkMessageBuilder::<LinkUnspec>::default()
            .name(plug)
            .append_extra_attribute(LinkAttribute::NetNsPid(process::id()))
            .build();
        let mut pair = LinkVeth::new(NAME, plug).set_info_data(InfoData::Veth(InfoVeth::Peer(far_end))).build();
        pair.header.index = ETH;
        netlink.link().add(pair).execute().await
    })
    .context("cannot make a pair of interfaces")?;
    sys::disable_offloads(NAME).context("cannot turn off offloads")?;
    on_netlink(async |netlink| {
        for (address, prefix) in addresses {
            let mut request = netlink.address().add(ETH, *address, *prefix);
            // There is nobody else who could have the address: it need not wait to be found unique.
            request.message_mut().attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
            request.execute().await?;
        }
        netlink.link().set(LinkUnspec::new_with_index(ETH).up().build()).execute().await?;
        let multicast = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(Ipv4Addr::new(224, 0, 0, 0), 4)
            .output_interface(ETH)
            .build();
        netlink.route().add(multicast).execute().await
    })
    .context("cannot configure an interface")
}

/// Runs requests on a netlink socket of this thread's namespace.
fn on_netlink(requests: impl AsyncFnOnce(Handle) -> Result<(), Error>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = new_connection()?;
        tokio::spawn(connection);
        Ok(requests(handle).await?)
    })
}
