//! How each row is written.

use common::{Key, Slot, Version, frame, table::Shared};
use rusqlite::{Connection, ToSql, params};

use super::StoreError;
use crate::core::{Kept, Row, StoredHold, StoredInvitation, StoredReset};

/// Writes one row into the transaction under way.
pub fn row(database: &Connection, row: &Row) -> Result<(), StoreError> {
    let run = |sql: &str, values: &[&dyn ToSql]| -> Result<(), StoreError> {
        database.prepare_cached(sql)?.execute(values)?;
        Ok(())
    };
    let moves_on = |version: &Version| {
        run("UPDATE rooms SET number = ?2 WHERE epoch = ?1", params![number(version.epoch), number(version.number)])
    };
    match row {
        Row::Lived(lived) => run("UPDATE meta SET lived = ?1", params![number(*lived)]),
        Row::Made { epoch, name, settings } => {
            run("UPDATE meta SET last_epoch = ?1", params![number(*epoch)])?;
            run(
                "INSERT INTO rooms (epoch, name, number, history, approval, private, topic)
                 VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)",
                params![
                    number(*epoch),
                    name.as_str(),
                    settings.history.as_str(),
                    settings.approval,
                    settings.private,
                    settings.topic
                ],
            )
        }
        Row::Set { version, settings } => {
            run(
                "UPDATE rooms SET private = ?2, topic = ?3 WHERE epoch = ?1",
                params![number(version.epoch), settings.private, settings.topic],
            )?;
            moves_on(version)
        }
        Row::Put { version, member } => {
            run(
                "INSERT OR REPLACE INTO members (epoch, slot, key, role, since) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    number(version.epoch),
                    slot(member.slot),
                    blob(&member.key),
                    member.role.as_str(),
                    number(member.since)
                ],
            )?;
            moves_on(version)
        }
        Row::Gone { version, slot: free } => {
            run("DELETE FROM members WHERE epoch = ?1 AND slot = ?2", params![number(version.epoch), slot(*free)])?;
            run("DELETE FROM files WHERE epoch = ?1 AND slot = ?2", params![number(version.epoch), slot(*free)])?;
            moves_on(version)
        }
        Row::Share { version, shared: Shared { slot: of, offer } } => {
            run(
                "INSERT OR REPLACE INTO files (epoch, slot, root, offer) VALUES (?1, ?2, ?3, ?4)",
                params![number(version.epoch), slot(*of), offer.file.root.0, frame::pack(offer)],
            )?;
            moves_on(version)
        }
        Row::Unshare { version, slot: of, root } => {
            run(
                "DELETE FROM files WHERE epoch = ?1 AND slot = ?2 AND root = ?3",
                params![number(version.epoch), slot(*of), root.0],
            )?;
            moves_on(version)
        }
        Row::Unmade { epoch } => {
            run("DELETE FROM rooms WHERE epoch = ?1", params![number(*epoch)])?;
            run("DELETE FROM waiting WHERE epoch = ?1", params![number(*epoch)])?;
            run("DELETE FROM banned WHERE epoch = ?1", params![number(*epoch)])
        }
        Row::Waits { epoch, key, at: Some(at) } => run(
            "INSERT OR REPLACE INTO waiting (epoch, key, at) VALUES (?1, ?2, ?3)",
            params![number(*epoch), blob(key), number(*at)],
        ),
        Row::Waits { epoch, key, at: None } => {
            run("DELETE FROM waiting WHERE epoch = ?1 AND key = ?2", params![number(*epoch), blob(key)])
        }
        Row::Banned { epoch, key, at: Some(at) } => run(
            "INSERT OR REPLACE INTO banned (epoch, key, at) VALUES (?1, ?2, ?3)",
            params![number(*epoch), blob(key), number(*at)],
        ),
        Row::Banned { epoch, key, at: None } => {
            run("DELETE FROM banned WHERE epoch = ?1 AND key = ?2", params![number(*epoch), blob(key)])
        }
        Row::Kept { epoch, kept } => {
            let (owner, until) = kept.map_or((None, None), |Kept { owner, until }| (owner, Some(number(until))));
            run(
                "UPDATE rooms SET kept_for = ?2, kept_until = ?3 WHERE epoch = ?1",
                params![number(*epoch), owner.as_ref().map(blob), until],
            )
        }
        Row::Declined { key, room, by } => run(
            "INSERT OR REPLACE INTO declined (key, room, by) VALUES (?1, ?2, ?3)",
            params![blob(key), room.as_str(), by.as_ref().map(|name| name.as_str())],
        ),
        Row::Told { key, room } => {
            run("DELETE FROM declined WHERE key = ?1 AND room = ?2", params![blob(key), room.as_str()])
        }
        account => write_account(account, run),
    }
}

/// Those rows that are about accounts.
fn write_account(row: &Row, run: impl Fn(&str, &[&dyn ToSql]) -> Result<(), StoreError>) -> Result<(), StoreError> {
    match row {
        Row::Account { key, name, seen } => run(
            "INSERT INTO accounts (key, name, seen, seen_at) VALUES (?1, ?2, ?3, ?4)",
            params![blob(key), name.as_str(), number(seen.lived), number(seen.at)],
        ),
        Row::Seen { key, seen } => run(
            "UPDATE accounts SET seen = ?2, seen_at = ?3 WHERE key = ?1",
            params![blob(key), number(seen.lived), number(seen.at)],
        ),
        Row::HideSeen { key, hide } => {
            run("UPDATE accounts SET hide_seen = ?2 WHERE key = ?1", params![blob(key), hide])
        }
        Row::Renamed { key, name } => {
            run("UPDATE accounts SET name = ?2 WHERE key = ?1", params![blob(key), name.as_str()])
        }
        Row::Unregistered { key } => run("DELETE FROM accounts WHERE key = ?1", params![blob(key)]),
        Row::Hold(StoredHold { name, key, until }) => run(
            "INSERT OR REPLACE INTO holds (name, key, until) VALUES (?1, ?2, ?3)",
            params![name.as_str(), key.as_ref().map(blob), number(*until)],
        ),
        Row::Release { name } => run("DELETE FROM holds WHERE name = ?1", params![name.as_str()]),
        Row::Retired { key, by } => {
            run("INSERT OR REPLACE INTO retired (key, by) VALUES (?1, ?2)", params![blob(key), blob(by)])
        }
        Row::Invitation(StoredInvitation { hash, uses, until }) => run(
            "INSERT OR REPLACE INTO invitations (hash, uses, until) VALUES (?1, ?2, ?3)",
            params![hash, uses, number(*until)],
        ),
        Row::InvitationGone { hash } => run("DELETE FROM invitations WHERE hash = ?1", params![hash]),
        Row::Reset(StoredReset { key, hash, until }) => run(
            "INSERT OR REPLACE INTO resets (key, hash, until) VALUES (?1, ?2, ?3)",
            params![blob(key), hash, number(*until)],
        ),
        Row::ResetGone { key } => run("DELETE FROM resets WHERE key = ?1", params![blob(key)]),
        Row::Contact { of, with, standing: Some(standing) } => run(
            "INSERT OR REPLACE INTO contacts (of, with_key, standing) VALUES (?1, ?2, ?3)",
            params![blob(of), blob(with), standing.as_str()],
        ),
        Row::Contact { of, with, standing: None } => {
            run("DELETE FROM contacts WHERE of = ?1 AND with_key = ?2", params![blob(of), blob(with)])
        }
        // The others are written above.
        _ => Ok(()),
    }
}

/// SQLite's integers are signed: the bits are kept, whatever the sign.
pub fn number(value: u64) -> i64 {
    value as i64
}

fn slot(slot: Slot) -> i64 {
    i64::from(slot.0)
}

fn blob(key: &Key) -> &[u8] {
    &key.0
}
