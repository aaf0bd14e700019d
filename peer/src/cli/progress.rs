//! How far a message has got, in words.

use common::{
    AccountName, MessageId,
    wire::control::{Receipt, Said},
};

use super::output::few;

/// What has become of a message for those who were meant to get it.
#[derive(Default)]
pub struct Progress {
    delivered: Vec<AccountName>,
    pending: Vec<AccountName>,
    cancelled: Vec<AccountName>,
    gone: Vec<AccountName>,
}

impl Progress {
    /// `7 of 9, waiting for bob, eve`, or what there is to tell beside and instead.
    pub fn text(&self) -> String {
        let all = self.delivered.len() + self.pending.len();
        let mut parts = Vec::new();
        match (self.delivered.is_empty(), self.pending.is_empty()) {
            (true, true) => {}
            (false, true) => parts.push(format!("delivered to {}", few(&self.delivered))),
            (_, false) => parts.push(format!("{} of {all}, waiting for {}", self.delivered.len(), few(&self.pending))),
        }
        if !self.cancelled.is_empty() {
            parts.push(format!("cancelled for {}", few(&self.cancelled)));
        }
        match self.gone.as_slice() {
            [] => {}
            [one] => parts.push(format!("{one} is a member no more and not waited for")),
            many => parts.push(format!("{} are members no more and not waited for", few(many))),
        }
        if parts.is_empty() { "it was for nobody else".to_string() } else { parts.join("; ") }
    }

    /// The same, as the session tells it of the message with this id.
    pub fn of(self, id: MessageId) -> Said {
        let Progress { delivered, pending, cancelled, gone } = self;
        let (seq, stamp) = (id.number, String::new());
        Said { id: id.to_string(), room: id.room, seq, stamp, delivered, pending, cancelled, gone }
    }

    /// Whether everybody has it who was meant to, and there was somebody.
    pub fn is_delivered(&self) -> bool {
        !self.delivered.is_empty() && self.pending.is_empty() && self.cancelled.is_empty()
    }
}

impl From<&Said> for Progress {
    fn from(said: &Said) -> Progress {
        Progress {
            delivered: said.delivered.clone(),
            pending: said.pending.clone(),
            cancelled: said.cancelled.clone(),
            gone: said.gone.clone(),
        }
    }
}

impl From<&[Receipt]> for Progress {
    fn from(receipts: &[Receipt]) -> Progress {
        let mut progress = Progress::default();
        for receipt in receipts {
            let list = match receipt.path.as_str() {
                _ if receipt.delivered => &mut progress.delivered,
                "cancelled" => &mut progress.cancelled,
                // Who is out itself waits for nobody.
                "left" | "removed" | "out" => &mut progress.gone,
                _ => &mut progress.pending,
            };
            list.push(receipt.name.clone());
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output;

    fn progress(delivered: &[&str], pending: &[&str], cancelled: &[&str], gone: &[&str]) -> String {
        let [delivered, pending, cancelled, gone] =
            [delivered, pending, cancelled, gone].map(|names| names.iter().map(|n| n.parse().unwrap()).collect());
        Progress { delivered, pending, cancelled, gone }.text()
    }

    #[test]
    fn it_is_told_who_has_it_and_who_is_waited_for_and_who_is_not() {
        assert_eq!(progress(&["bob", "eve"], &[], &[], &[]), "delivered to bob, eve");
        assert_eq!(progress(&["bob"], &["eve", "zoe"], &[], &[]), "1 of 3, waiting for eve, zoe");
        assert_eq!(progress(&[], &["eve"], &[], &[]), "0 of 1, waiting for eve");
        assert_eq!(
            progress(&["bob"], &[], &["eve"], &["dave"]),
            "delivered to bob; cancelled for eve; dave is a member no more and not waited for"
        );
        assert_eq!(progress(&[], &[], &[], &["dave", "eve"]), "dave, eve are members no more and not waited for");
        assert_eq!(progress(&[], &[], &[], &[]), "it was for nobody else");
        let many = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"];
        assert_eq!(progress(&["bob"], &many, &[], &[]), "1 of 8, waiting for 7 members");
    }

    #[test]
    fn only_who_is_still_meant_to_get_it_is_waited_for() {
        let receipt = |name: &str, path: &str| Receipt {
            name: name.parse().unwrap(),
            delivered: path == "direct",
            at: None,
            path: path.into(),
        };
        let receipts = [("bob", "direct"), ("eve", "none"), ("dave", "cancelled"), ("zoe", "left"), ("kim", "out")];
        let receipts = receipts.map(|(name, path)| receipt(name, path));
        let said = Progress::from(receipts.as_slice()).of("lobby/abababababababab/3".parse().unwrap());
        let lists = [said.delivered, said.pending, said.cancelled, said.gone].map(|list| output::names(&list));
        assert_eq!(lists, ["bob", "eve", "dave", "zoe, kim"]);
    }
}
