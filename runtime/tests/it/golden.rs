//! Golden journals come back from either database byte for byte and replay.

use engine::drive::batch::Record;
use engine::id::RunId;
use engine::run::codec::{NO_RECORD, decode, verify};
use engine::value::Digest;
use sea_orm::{ActiveModelTrait, Set};
use uuid::Uuid;

use crate::home::{Home, on_both};

const GOLDEN: &str = include_str!("../../../engine/tests/it/golden/0.1.journal");

async fn a_golden_journal_comes_back_byte_for_byte(home: Home) {
    let run = RunId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));
    let mut prev = NO_RECORD;
    let mut written = Vec::new();
    for line in GOLDEN.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let digest = Digest(hex::decode(parts[2]).unwrap().try_into().unwrap());
        let record = Record {
            first_seq: parts[0].parse().unwrap(),
            last_seq: parts[1].parse().unwrap(),
            body: hex::decode(parts[3]).unwrap(),
            digest,
            prev,
        };
        let row = entity::journal::ActiveModel {
            run_id: Set(run.0),
            first_seq: Set(record.first_seq as i64),
            last_seq: Set(record.last_seq as i64),
            format: Set(engine::drive::batch::FORMAT),
            body: Set(record.body.clone()),
            digest: Set(digest.0.to_vec()),
            prev: Set(prev.0.to_vec()),
        };
        row.insert(home.test.database.write()).await.unwrap();
        written.push(record);
        prev = digest;
    }
    let read = runtime::store::journal::after(&home.test.database, run, 0, 10_000).await.unwrap();
    assert_eq!(read, written);
    let mut prev = NO_RECORD;
    for record in &read {
        verify(run, record, prev).unwrap();
        decode(record).unwrap();
        prev = record.digest;
    }
}

on_both! {
    a_golden_journal => super::a_golden_journal_comes_back_byte_for_byte;
}
