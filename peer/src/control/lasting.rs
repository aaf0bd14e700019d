//! Events for as long as the session lasts, whatever it cannot do meanwhile.

use std::time::Duration;

use common::wire::control::{Event, Refusal};
use tokio::time::{Instant, sleep_until};

use super::{Follow, Session};

/// The pause after a refusal, such as of a history that cannot be read just now.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows a session to its end.
pub struct Lasting<S> {
    session: S,
    events: Follow<S>,
    /// When it is tried again, after a refusal.
    again: Option<Instant>,
}

impl<S: Session> Lasting<S> {
    /// Goes on where `events` of this session are.
    pub fn new(session: S, events: Follow<S>) -> Lasting<S> {
        Lasting { session, events, again: None }
    }

    /// The next event, waited for. Cancel-safe.
    ///
    /// # Errors
    /// Only how the session has ended.
    pub async fn next(&mut self) -> Result<Event, Refusal> {
        loop {
            let event = async {
                if let Some(again) = self.again {
                    sleep_until(again).await;
                }
                self.events.next().await
            };
            tokio::select! {
                // What happened before the end comes before it.
                biased;
                event = event => match event {
                    Ok(event) => return Ok(event),
                    Err(_) => self.again = Some(Instant::now() + AGAIN),
                },
                end = self.session.ended() => return Err(end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use common::wire::control::Exit;

    use super::*;
    use crate::control::{fake::Fake, follow::cursor};

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_passes_costs_no_event() {
        let session = Fake::new("alice");
        let mut follow = Follow::new(session.clone(), None, None);
        assert_eq!(follow.next_past().await.unwrap(), None);
        let mut events = Lasting::new(session.clone(), follow);
        session.refuse(Some(Refusal::new(Exit::Unreachable, "the disk is full")));
        // So many that it has to ask for some.
        (1..=1_000).for_each(|n| session.happen(n));
        let mut next = Box::pin(events.next());
        assert!(tokio::time::timeout(3 * AGAIN, &mut next).await.is_err());
        session.refuse(None);
        assert_eq!(next.await.map(|event| cursor(&event)), Ok(Some(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_the_session_and_tells_how() {
        let session = Fake::new("alice");
        let mut events = Lasting::new(session.clone(), Follow::new(session.clone(), None, None));
        session.refuse(Some(Refusal::new(Exit::Unreachable, "the disk is full")));
        let end = Refusal::new(Exit::Done, "logged out");
        session.end(end.clone());
        assert_eq!(events.next().await.unwrap_err(), end);
    }
}
