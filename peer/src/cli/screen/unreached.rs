//! Members who are online and cannot be reached for a while: the user is told, once, where to find out why.

use std::collections::BTreeMap;

use common::{AccountName, wire::control::Member};

/// Looks, five seconds apart, that find no way to somebody before that is told: links come about within less.
const LOOKS: u32 = 6;
/// In larger rooms there are links only to those to whom something is said.
const MESH: usize = 128;

/// How often each of them was looked at since there was a way.
#[derive(Default)]
pub struct Unreached(BTreeMap<AccountName, u32>);

impl Unreached {
    /// Looks at the members of a room; what to tell.
    pub fn look(&mut self, members: &[Member], me: Option<&AccountName>) -> Vec<String> {
        let is_cut = |member: &&Member| member.online && member.path == "none" && Some(&member.name) != me;
        let cut: Vec<&AccountName> = members.iter().filter(is_cut).map(|member| &member.name).collect();
        let has_way = |name: &AccountName| {
            members.iter().any(|member| member.name == *name && member.online && member.path != "none")
        };
        let mut told = Vec::new();
        self.0.retain(|name, looks| {
            if *looks >= LOOKS && has_way(name) {
                told.push(format!("* there is a way to {name} again"));
            }
            cut.contains(&name)
        });
        if members.len() > MESH {
            return told;
        }
        let mut lost = Vec::new();
        for name in cut {
            let looks = self.0.entry(name.clone()).or_default();
            *looks += 1;
            if *looks == LOOKS {
                lost.push(name.to_string());
            }
        }
        if !lost.is_empty() {
            let (names, are) = (lost.join(", "), if lost.len() == 1 { "is" } else { "are" });
            told.push(format!(
                "! {names} {are} online, and there is no way there; what you say waits. Why, tells: peer doctor"
            ));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, online: bool, path: &str) -> Member {
        let value = serde_json::json!({
            "name": name, "slot": 1, "key": "ab".repeat(32), "role": "member", "online": online, "away": false, "path": path,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn who_is_online_and_cannot_be_reached_for_half_a_minute_is_told_of_once() {
        let me = "alice".parse().ok();
        let members = [member("alice", true, "none"), member("bob", true, "none"), member("dave", false, "none")];
        let mut unreached = Unreached::default();
        let told: Vec<String> = (0..20).flat_map(|_| unreached.look(&members, me.as_ref())).collect();
        assert!(
            matches!(&told[..], [told] if told.contains("bob is online") && told.contains("peer doctor")),
            "{told:?}"
        );
        let told = unreached.look(&[member("bob", true, "direct")], me.as_ref());
        assert_eq!(told, ["* there is a way to bob again"]);
        assert!((0..5).all(|_| unreached.look(&members, me.as_ref()).is_empty()), "it begins anew");
        assert!(
            unreached.look(&[member("bob", true, "direct")], me.as_ref()).is_empty(),
            "it was not told that there is none"
        );
    }
}
