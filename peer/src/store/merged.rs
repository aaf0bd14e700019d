//! What a core begins with of its own messages, kept in runs: of a million messages that were said and receipted one by
//! one there are a few rows to read. Made of the segments and the receipts, and written along with them.

use std::collections::BTreeMap;

use common::{Key, RoomName, Version, message::Head};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    StoreError,
    load::{parsed, version},
};
use crate::core::{Segment, own_log::Run, room::Room};

/// Makes all of them anew.
pub fn rebuild(t: &Transaction<'_>, me: &Key) -> Result<(), StoreError> {
    t.execute_batch("DELETE FROM runs; DELETE FROM acked")?;
    let sql = "SELECT room, epoch, number, first, last FROM segments WHERE author = ? ORDER BY room, last";
    let mut statement = t.prepare(sql)?;
    let mut rows = statement.query([me.0])?;
    while let Some(row) = rows.next()? {
        let room: String = row.get(0)?;
        let (epoch, number, first, last) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        run(t, &room, epoch, number, first, last)?;
    }
    let mut statement = t.prepare("SELECT room, member, first, last FROM receipts ORDER BY room, member, last")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let room: String = row.get(0)?;
        acked(t, &room, &Key(row.get(1)?), row.get(2)?, row.get(3)?)?;
    }
    Ok(())
}

/// Own messages were said.
pub fn said(t: &Transaction<'_>, segment: &Segment) -> Result<(), StoreError> {
    let Version { epoch, number } = segment.stamp;
    run(t, segment.room.as_str(), epoch as i64, number as i64, segment.first as i64, segment.last as i64)
}

fn run(t: &Transaction<'_>, room: &str, epoch: i64, number: i64, first: i64, last: i64) -> Result<(), StoreError> {
    let longer = "UPDATE runs SET last = ?5 WHERE room = ?1 AND epoch = ?2 AND number = ?3 AND last = ?4 - 1
        AND first = (SELECT max(first) FROM runs WHERE room = ?1 AND first < ?4)";
    let values = params![room, epoch, number, first, last];
    if t.prepare_cached(longer)?.execute(values)? == 0 {
        let new = "INSERT OR REPLACE INTO runs (room, epoch, number, first, last) VALUES (?1, ?2, ?3, ?4, ?5)";
        t.prepare_cached(new)?.execute(values)?;
    }
    Ok(())
}

/// A member has these.
pub fn acked(t: &Transaction<'_>, room: &str, member: &Key, first: i64, last: i64) -> Result<(), StoreError> {
    if first > last {
        return Ok(());
    }
    // Nearly always they follow those that the member had.
    let longer = "UPDATE acked SET last = ?4 WHERE room = ?1 AND member = ?2 AND last = ?3 - 1
        AND first = (SELECT max(first) FROM acked WHERE room = ?1 AND member = ?2 AND first <= ?4 + 1)";
    if t.prepare_cached(longer)?.execute(params![room, member.0, first, last])? == 1 {
        return Ok(());
    }
    let touching = "FROM acked WHERE room = ?1 AND member = ?2 AND first <= ?4 + 1 AND last >= ?3 - 1";
    let values = params![room, member.0, first, last];
    let sql = format!("SELECT min(first), max(last) {touching}");
    let (low, high): (Option<i64>, Option<i64>) =
        t.prepare_cached(&sql)?.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    t.prepare_cached(&format!("DELETE {touching}"))?.execute(values)?;
    let all =
        params![room, member.0, low.map_or(first, |low| low.min(first)), high.map_or(last, |high| high.max(last))];
    t.prepare_cached("INSERT INTO acked (room, member, first, last) VALUES (?, ?, ?, ?)")?.execute(all)?;
    Ok(())
}

/// Which own messages there are, and where the log ends.
pub fn own_logs(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>, me: &Key) -> Result<(), StoreError> {
    let mut runs = c.prepare("SELECT epoch, number, first, last FROM runs WHERE room = ? ORDER BY first")?;
    let mut end =
        c.prepare("SELECT last, end FROM segments WHERE room = ? AND author = ? ORDER BY last DESC LIMIT 1")?;
    for (name, room) in rooms {
        let mut rows = runs.query([name.as_str()])?;
        while let Some(row) = rows.next()? {
            let (first, last) = (row.get::<_, i64>(2)? as u64, row.get::<_, i64>(3)? as u64);
            room.own.extend_runs(Run { stamp: version(row, 0)?, first, last });
        }
        let head = end.query_row(params![name.as_str(), me.0], |row| {
            Ok(Head { number: row.get::<_, i64>(0)? as u64, hash: row.get(1)? })
        });
        if let Some(head) = head.optional()? {
            room.own.head = head;
        }
    }
    Ok(())
}

/// Who has which of them.
pub fn receipts(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let mut statement = c.prepare("SELECT room, member, first, last FROM acked ORDER BY room, member, first")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) {
            room.own.receipt(&Key(row.get(1)?), row.get::<_, i64>(2)? as u64, row.get::<_, i64>(3)? as u64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::schema, *};

    const MEMBER: Key = Key([2; 32]);

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::prepare(&connection, &Key([1; 32])).unwrap();
        connection
    }

    fn rows(c: &Connection, sql: &str) -> Vec<(i64, i64)> {
        let mut statement = c.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn receipts_in_any_order_come_to_the_same_runs_as_a_set_of_numbers() {
        let mut connection = store();
        let t = connection.transaction().unwrap();
        let mut had = std::collections::BTreeSet::new();
        // A generator of Knuth's (MMIX), so that a failure can be repeated.
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..400 {
            let first = 1 + random(300) as i64;
            let last = first + random(6) as i64;
            acked(&t, "lobby", &MEMBER, first, last).unwrap();
            had.extend(first..=last);
            let kept = rows(&t, "SELECT first, last FROM acked ORDER BY first");
            assert!(kept.windows(2).all(|two| two[0].1 + 1 < two[1].0), "{kept:?}");
            assert!(kept.iter().flat_map(|(first, last)| *first..=*last).eq(had.iter().copied()), "{kept:?}");
        }
    }

    #[test]
    fn a_run_ends_where_the_table_has_changed_or_numbers_are_missing() {
        let mut connection = store();
        let t = connection.transaction().unwrap();
        for (number, first, last) in [(1, 1, 1), (1, 2, 5), (2, 6, 6), (2, 7, 7), (2, 9, 9)] {
            run(&t, "lobby", 1, number, first, last).unwrap();
        }
        assert_eq!(rows(&t, "SELECT first, last FROM runs ORDER BY first"), [(1, 5), (6, 7), (9, 9)]);
    }
}
