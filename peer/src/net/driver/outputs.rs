//! What the core wants done, once what it wants kept is kept.

use common::{
    Key, RoomName,
    frame::HEADER,
    mention,
    wire::control::{Event, Refusal, people::AnswerPeople},
};
use tokio::sync::mpsc;

use super::{
    super::{dial, pool::ToWriter, tracker_link},
    Running, TrackerInputs,
};
use crate::{
    book,
    core::{AskId, Input, LinkId, Output, Shown, command::Answer, direct::titled},
    store::{Fed, events_of},
};

impl Running {
    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Keep(_) | Output::End(_) => {}
            Output::Reply(id, reply) => self.reply(id, reply),
            Output::Show(shown) => self.show(shown),
            Output::DialTracker => self.dial_tracker(),
            Output::TellTracker(frame) => {
                if let Some(tracker) = &self.tracker {
                    // A writer that has ended is followed by TrackerDown.
                    let _ = tracker.send(frame);
                }
            }
            Output::DropTracker => {
                self.tracker = None;
                self.connection += 1;
            }
            Output::Welcomed(welcomed) => {
                self.tells.welcomed.send_replace(Some(welcomed));
            }
            Output::Dial(key, addresses) => {
                let dial = dial::dial(
                    self.endpoint.clone(),
                    self.certificate.clone(),
                    self.config.link_limits(),
                    key,
                    addresses,
                    self.pool.clone(),
                    self.inputs.clone(),
                );
                tokio::spawn(dial);
            }
            Output::Call(call, addresses) => {
                let call = dial::call(
                    self.endpoint.clone(),
                    self.certificate.clone(),
                    self.config.link_limits(),
                    call,
                    addresses,
                    self.pool.clone(),
                    self.inputs.clone(),
                );
                tokio::spawn(call);
            }
            Output::KeepBook(entries) => {
                if let Some(path) = &self.book
                    && let Err(error) = book::write(path, &entries)
                {
                    // It is written again with the next change; who is in it is known meanwhile.
                    tracing::error!("{error}");
                }
            }
            Output::Send(link, frame) => self.pool.tell(link, ToWriter::Frame(frame)),
            Output::Hint(link, hint) => self.pool.hint(link, hint.slice(HEADER..)),
            Output::Close(link, reason) => self.pool.tell(link, ToWriter::Close(reason)),
            Output::Load { link, room, from } => self.load(link, room, from),
            Output::Feed { link, room, logs, position } => self.feed(link, room, logs, position),
            Output::File(output) => self.files.carry_out(output),
        }
    }

    fn dial_tracker(&mut self) {
        let Some(address) = self.address else { return };
        let (tracker, frames) = mpsc::unbounded_channel();
        self.tracker = Some(tracker);
        self.connection += 1;
        let inputs = TrackerInputs { inputs: self.tracker_inputs.clone(), connection: self.connection };
        let link = tracker_link::run(
            self.endpoint.clone(),
            self.certificate.clone(),
            self.config.link_limits(),
            address,
            frames,
            inputs,
        );
        tokio::spawn(link);
    }

    fn load(&self, link: LinkId, room: RoomName, from: u64) {
        let (store, inputs, me) = (self.store.clone(), self.inputs.clone(), self.me);
        tokio::spawn(async move {
            let batches = store.own_batches(room.clone(), me, from).await.unwrap_or_else(|error| {
                tracing::error!("{error}");
                Vec::new()
            });
            let _ = inputs.send(Input::Loaded { link, room, batches }).await;
        });
    }

    fn feed(&self, link: LinkId, room: RoomName, logs: Vec<(Key, u64)>, position: u64) {
        let (store, inputs) = (self.store.clone(), self.inputs.clone());
        tokio::spawn(async move {
            let fed = store.feed(room.clone(), logs, position).await.unwrap_or_else(|error| {
                tracing::error!("{error}");
                Fed { segments: Vec::new(), position, more: false }
            });
            let Fed { segments, position, more } = fed;
            let _ = inputs.send(Input::Fed { link, room, segments, position, more }).await;
        });
    }

    /// Answers, with what only the shell knows added. Whoever asked may have gone.
    fn reply(&mut self, id: AskId, mut reply: Result<Answer, Refusal>) {
        let Some(asker) = self.replies.remove(&id) else { return };
        match &mut reply {
            Ok(Answer::Paths(lines)) => {
                for path in lines {
                    if let Some(link) = path.link {
                        self.pool.measure(link, &mut path.line);
                    }
                }
            }
            Ok(Answer::People(AnswerPeople::Listening(listening))) => listening.port = self.port(),
            Ok(Answer::Status(status)) => status.address.set_port(self.port()),
            _ => {}
        }
        let _ = asker.send(reply);
    }

    /// Takes a batch apart only if somebody looks.
    fn show(&self, shown: Shown) {
        let told = if matches!(shown, Shown::Typing(_)) { &self.tells.typing } else { &self.tells.events };
        if told.receiver_count() == 0 {
            return;
        }
        let mut events = match shown {
            Shown::Batch(segment) => events_of(&segment).unwrap_or_default(),
            Shown::Member(event) => vec![Event::Member(event)],
            Shown::Receipt(event) => vec![Event::Receipt(event)],
            Shown::Typing(event) => vec![Event::Typing(event)],
            Shown::Transfer(transfer) => vec![Event::Transfer(transfer)],
        };
        mention::mark(&mut events, self.core.name());
        for event in events {
            let _ = told.send(titled(event, |room| self.core.title(room)));
        }
    }
}
