//! A damaged history: it is kept aside, and what can still be read of it goes into a new one.
//!
//! The new one is made whole beside the old one and takes its place in one step, so that a crash in between loses
//! nothing and leaves nothing half done.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Seek, Write},
    ops::Range,
    path::{Path, PathBuf},
    time::SystemTime,
};

use common::{Key, RoomName, message::Head};
use rusqlite::{Connection, Params, Transaction, types::Value};

use super::{StoreError, events, files, load, merged, schema, write};
use crate::core::{Row, log::Piece};

/// What was found and done, for the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Salvaged {
    /// What was wrong.
    pub found: String,
    /// How many messages are kept.
    pub messages: u64,
    /// Where the damaged file is, if one was put aside.
    pub kept: Option<PathBuf>,
}

impl fmt::Display for Salvaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Salvaged { found, messages, .. } = self;
        write!(f, "the history was damaged ({found}). {messages} messages in it are whole and kept")?;
        match &self.kept {
            Some(kept) => write!(f, "; for what is missing, the damaged file is kept as {}", kept.display()),
            None => write!(f, "; what was stored last is missing"),
        }
    }
}

/// When something newer may have been lost for the last time, in milliseconds since 1970.
pub const SALVAGED_AT: &str = "SELECT value FROM meta WHERE name = 'salvaged_at'";

/// Looks for damage that shows only where it is read: after an unclean end, and where damage was met. Batches before
/// `since` were looked at before, or stored by a session that ended well: what happens to them later is met where they are
/// read, and noted.
pub fn check(connection: &Connection, since: u64) -> Result<(), StoreError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(StoreError::Damaged(found));
    }
    match unsound(connection, since)?.as_slice() {
        [] => Ok(()),
        several => Err(StoreError::Damaged(format!("{} batches are not what was stored", several.len()))),
    }
}

/// The cursors of batches from a cursor on that are not what was stored.
fn unsound(connection: &Connection, since: u64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT {} FROM segments WHERE cursor >= ?", events::COLUMNS))?;
    let mut rows = statement.query([since as i64])?;
    let mut unsound = Vec::new();
    while let Some(row) = rows.next()? {
        if !events::segment(row).is_ok_and(|segment| events::is_sound(&segment)) {
            unsound.push(row.get(0)?);
        }
    }
    Ok(unsound)
}

/// Puts the damaged history at `path` aside, with a new one in its place that has what could be read.
pub fn salvage(path: &Path, me: &Key, why: &StoreError) -> Result<Salvaged, StoreError> {
    let fail = |source| StoreError::Salvage { path: path.to_owned(), source };
    let kept = keep_aside(path).map_err(fail)?;
    let result = rebuild(path, me).and_then(|messages| {
        finish(path)?;
        Ok(Salvaged { found: why.bare(), messages, kept: Some(kept.clone()) })
    });
    if result.is_err() {
        // The history itself is still where it was.
        for file in [kept.clone(), beside(&kept, "-wal")] {
            let _ = fs::remove_file(file);
        }
    }
    result
}

/// Lets a new history that is whole take the place of the damaged one.
pub fn finish(path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::Salvage { path: path.to_owned(), source };
    let new = beside(path, ".repaired");
    if !new.try_exists().map_err(fail)? {
        return Ok(());
    }
    // SQLite would take what they hold for changes of the new one.
    remove(&beside(path, "-wal")).and_then(|()| remove(&beside(path, "-shm"))).map_err(fail)?;
    fs::rename(&new, path).and_then(|()| sync_folder(path)).map_err(fail)
}

/// From now on own messages have numbers that cannot have been used before: something newer may be lost.
pub fn note(connection: &Connection) -> Result<(), StoreError> {
    let newest: i64 = connection.query_row("SELECT ifnull(max(received), 0) FROM segments", [], |row| row.get(0))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    // Later than the last time, whatever the clock says: what was said from then on may be lost as well.
    let sql = "INSERT INTO meta (name, value) VALUES ('salvaged_at', ?)
        ON CONFLICT (name) DO UPDATE SET value = max(value + 1, excluded.value)";
    connection.execute(sql, [now.max(newest.saturating_add(1))])?;
    Ok(())
}

/// How many messages there are.
pub fn messages(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection.query_row("SELECT ifnull(sum(count), 0) FROM segments", [], |row| row.get(0))?;
    Ok(count as u64)
}

/// The path of a file beside the history.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A copy, since the original is still to be read.
fn keep_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1u32;
    let kept = loop {
        let kept = beside(path, &format!(".damaged-{number}"));
        if !kept.try_exists()? {
            break kept;
        }
        number += 1;
    };
    fs::copy(path, &kept)?;
    let wal = beside(path, "-wal");
    if wal.try_exists()? {
        fs::copy(wal, beside(&kept, "-wal"))?;
    }
    fs::File::open(&kept)?.sync_all()?;
    Ok(kept)
}

/// Makes the new history of what the old one still has, and returns how many messages that is.
fn rebuild(path: &Path, me: &Key) -> Result<u64, StoreError> {
    let fail = |source| StoreError::Salvage { path: path.to_owned(), source };
    let making = beside(path, ".repairing");
    for ending in ["", "-wal", "-shm"] {
        remove(&beside(&making, ending)).map_err(fail)?;
    }
    let mut new = Connection::open(&making)?;
    schema::prepare(&new, me)?;
    new.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let old = match readable(path)? {
        Some(old) => old,
        None => {
            // Every history begins with the same page, but for counters.
            graft(&making, path).map_err(fail)?;
            readable(path)?.unwrap_or(Connection::open_in_memory()?)
        }
    };
    let transaction = new.transaction()?;
    for table in tables(&transaction)? {
        table.copy(&old, &transaction)?;
    }
    for cursor in unsound(&transaction, 0)? {
        transaction.execute("DELETE FROM segments WHERE cursor = ?", [cursor])?;
    }
    pieces(&transaction, me)?;
    merged::rebuild(&transaction, me)?;
    files::drop_unreadable(&transaction)?;
    files::note_again(&transaction)?;
    // What can still be read of it.
    if let Ok(noted) = old.query_row(SALVAGED_AT, [], |row| row.get::<_, i64>(0)) {
        transaction.execute("INSERT INTO meta (name, value) VALUES ('salvaged_at', ?)", [noted])?;
    }
    note(&transaction)?;
    if load::saved(&transaction, me).is_err() {
        // The tracker tells these again.
        transaction.execute_batch(
            "DELETE FROM rooms; DELETE FROM members; DELETE FROM listed; DELETE FROM spans; DELETE FROM gaps;",
        )?;
        load::saved(&transaction, me)?;
    }
    let messages = messages(&transaction)?;
    transaction.commit()?;
    new.close().map_err(|(_, error)| error)?;
    drop(old);
    fs::rename(&making, beside(path, ".repaired")).and_then(|()| sync_folder(path)).map_err(fail)?;
    Ok(messages)
}

/// Notes which of others' messages are held, by the messages themselves. What is missing may be what was lost: it is
/// to be asked for again.
fn pieces(new: &Transaction<'_>, me: &Key) -> Result<(), StoreError> {
    let sql = format!("SELECT {} FROM segments WHERE author != ? ORDER BY room, author, first", events::COLUMNS);
    let mut statement = new.prepare(&sql)?;
    let mut rows = statement.query([me.0])?;
    let mut last: Option<(RoomName, Key, Piece)> = None;
    while let Some(row) = rows.next()? {
        let segment = events::segment(row)?;
        let start = events::start_of(&segment)?;
        match &mut last {
            Some((room, author, piece))
                if (&*room, &*author) == (&segment.room, &segment.author)
                    && (Head { number: piece.last, hash: piece.end }) == start =>
            {
                (piece.last, piece.end) = (segment.last, segment.end);
            }
            _ => {
                keep_piece(new, last.take(), me)?;
                let (first, last_number) = (segment.first, segment.last);
                let open = first > 1;
                let piece = Piece { first, last: last_number, start: start.hash, end: segment.end, open };
                last = Some((segment.room, segment.author, piece));
            }
        }
    }
    keep_piece(new, last, me)
}

fn keep_piece(new: &Transaction<'_>, piece: Option<(RoomName, Key, Piece)>, me: &Key) -> Result<(), StoreError> {
    let Some((room, author, piece)) = piece else { return Ok(()) };
    write::keep(new, &Row::Piece { room, author, piece, swallowed: Vec::new() }, me)
}

/// A connection to the damaged file, if as much as the names of the tables can be read.
fn readable(path: &Path) -> Result<Option<Connection>, StoreError> {
    let old = Connection::open(path)?;
    // So that a file shorter than it should be is read as far as it goes.
    let opened = old.pragma_update(None, "writable_schema", true);
    let known = opened.and_then(|()| {
        old.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'segments'", [], |row| row.get::<_, i64>(0))
    });
    Ok(matches!(known, Ok(1)).then_some(old))
}

fn graft(from: &Path, onto: &Path) -> io::Result<()> {
    /// SQLite's, unless it is told otherwise.
    const PAGE: usize = 4_096;
    /// Where the page says how many pages there are, and which of them are free.
    const COUNTS: Range<usize> = 28..40;
    let mut fresh = fs::read(from)?;
    // Nothing said: as many as the file has.
    if let Some(counts) = fresh.get_mut(COUNTS) {
        counts.fill(0);
    }
    let mut file = fs::OpenOptions::new().write(true).open(onto)?;
    file.rewind()?;
    file.write_all(&fresh[..PAGE.min(fresh.len())])?;
    file.sync_all()
}

/// A table to be copied.
struct Table {
    name: String,
    columns: Vec<String>,
    /// How its rows are ordered; empty where that is by `rowid`.
    key: Vec<String>,
}

/// All but what is made anew: the search index, the notes, the runs and what is noted of the file itself.
fn tables(new: &Connection) -> Result<Vec<Table>, StoreError> {
    let sql = "SELECT name, sql LIKE '%WITHOUT ROWID' FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'search%' AND name NOT LIKE 'sqlite%'
        AND name NOT IN ('meta', 'pieces', 'notes', 'acked', 'runs')";
    let mut statement = new.prepare(sql)?;
    let names = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    let mut tables = Vec::new();
    for row in names {
        let (name, by_key) = row?;
        let mut columns = Vec::new();
        let mut key = Vec::new();
        let mut info = new.prepare(&format!("SELECT name, pk FROM pragma_table_info('{name}') ORDER BY cid"))?;
        let mut rows = info.query([])?;
        while let Some(row) = rows.next()? {
            let column: String = row.get(0)?;
            if by_key && row.get::<_, i64>(1)? > 0 {
                key.push(format!("\"{column}\""));
            }
            columns.push(format!("\"{column}\""));
        }
        if !by_key {
            columns.push("rowid".into());
        }
        tables.push(Table { name, columns, key });
    }
    Ok(tables)
}

impl Table {
    /// Copies what can be read, around what cannot.
    fn copy(&self, old: &Connection, new: &Connection) -> Result<(), StoreError> {
        let (name, columns) = (&self.name, self.columns.join(", "));
        let places = vec!["?"; self.columns.len()].join(", ");
        let mut insert = new.prepare(&format!("INSERT OR IGNORE INTO {name} ({columns}) VALUES ({places})"))?;
        let mut failed = None;
        let mut keep = |row: &rusqlite::Row<'_>| {
            let values: Vec<Value> = (0..self.columns.len()).map(|n| row.get(n)).collect::<Result<_, _>>()?;
            if let Err(error) = insert.execute(rusqlite::params_from_iter(values)) {
                failed.get_or_insert(error);
            }
            Ok(())
        };
        let select = format!("SELECT {columns} FROM {name}");
        if self.key.is_empty() {
            by_number(old, &select, name, &mut keep);
        } else {
            let backwards = self.key.iter().map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
            // From both ends: as far as there is no damage.
            if each(old, &select, [], &mut keep).is_err() {
                let _ = each(old, &format!("{select} ORDER BY {backwards}"), [], &mut keep);
            }
        }
        // That the new one cannot be written is no damage of the old one.
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

type Keep<'a> = &'a mut dyn FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>;

/// Reads rows in the order of their numbers. Behind a place that cannot be read it looks for the next that can, and
/// reads back from there.
fn by_number(old: &Connection, select: &str, name: &str, keep: Keep<'_>) {
    let mut after = 0i64;
    loop {
        let onward = format!("{select} WHERE rowid > ?1 ORDER BY rowid");
        let read = each(old, &onward, [after], &mut |row| {
            keep(row)?;
            // A damaged tree need not be in order.
            after = after.max(row.get("rowid")?);
            Ok(())
        });
        if read.is_ok() {
            return;
        }
        let mut step = 1i64;
        let next = loop {
            // The end of all numbers is the end.
            let Some(place) = after.checked_add(step).filter(|place| *place < i64::MAX) else { return };
            let sql = format!("SELECT min(rowid) FROM {name} WHERE rowid > ?1");
            match old.query_row(&sql, [place], |row| row.get::<_, Option<i64>>(0)) {
                Ok(Some(next)) if next > place => break next,
                Ok(None) => return,
                _ => step = step.saturating_mul(2),
            }
        };
        let back = format!("{select} WHERE rowid > ?1 AND rowid < ?2 ORDER BY rowid DESC");
        let _ = each(old, &back, [after, next], keep);
        after = next - 1;
    }
}

fn each(old: &Connection, sql: &str, from: impl Params, keep: Keep<'_>) -> rusqlite::Result<()> {
    let mut statement = old.prepare(sql)?;
    let mut rows = statement.query(from)?;
    while let Some(row) = rows.next()? {
        keep(row)?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}
