//! A notice on the user's desktop, over the session bus (Desktop Notifications Specification 1.2).

use common::wire::control::MessageEvent;
use notify_rust::{Hint, Notification};

use crate::cli::text;

/// Characters of a message that a notice has room for.
const LONGEST: usize = 200;

/// Shows it. Where there is no desktop nothing is shown, and that is no error.
pub async fn show(message: &MessageEvent, count: u64) {
    let notification = Notification::new()
        .appname("Rollcall")
        .summary(&summary(message, count))
        .body(&body(message))
        .icon("mail-unread")
        .hint(Hint::Category("im.received".into()))
        .finalize();
    if let Err(error) = notification.show_async().await {
        tracing::debug!("no notice is shown on the desktop: {error}");
    }
}

fn summary(message: &MessageEvent, count: u64) -> String {
    let place = match message.room.as_person() {
        Some(_) => String::new(),
        None => format!(" in {}", message.room),
    };
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    format!("{}{place}{more}", message.from)
}

/// The text, in which a desktop would read tags.
fn body(message: &MessageEvent) -> String {
    let text = text::inline(&message.text);
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn message(room: &str, text: &str) -> MessageEvent {
        let value = serde_json::json!({
            "cursor": 1, "id": "x/abababababababab/1", "room": room, "from": "bob", "seq": 1,
            "stamp": "1.2", "sent": 0, "received": 0, "path": "direct", "text": text,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn it_says_who_and_where_and_how_many_more() {
        assert_eq!(summary(&message("@bob", "hello"), 1), "bob");
        assert_eq!(summary(&message("lobby", "hello"), 3), "bob in lobby (and 2 more)");
    }

    #[test]
    fn what_somebody_writes_is_text_to_a_desktop_and_has_an_end() {
        assert_eq!(body(&message("lobby", "<b>a</b> & \u{1b}[31mc")), "&lt;b&gt;a&lt;/b&gt; &amp; \\u{1b}[31mc");
        assert_eq!(body(&message("lobby", &"é".repeat(LONGEST + 1))), "é".repeat(LONGEST) + "…");
    }
}
