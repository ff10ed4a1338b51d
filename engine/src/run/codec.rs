//! The bytes of a journal record. Every event kind has a number and a version of its own; both are frozen once a
//! release wrote them, and so is the order of the variants inside. An event that changes shape gets a new version and
//! an arm here that reads the old one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::event::{Event, Recorded};
use crate::drive::batch::{BODY_LIMIT, FORMAT, Record};
use crate::id::RunId;
use crate::time::Timestamp;
use crate::value::Digest;

/// Bytes that are not a record of a format known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end early or hold something else.
    #[error("a journal record cannot be read: {0}")]
    Malformed(String),
    /// A newer release wrote it.
    #[error("a journal record holds event kind {kind} version {version}, which this release does not know")]
    UnknownKind {
        /// The kind's number.
        kind: u16,
        /// Its version.
        version: u8,
    },
    /// The record's digest does not match its content, or it does not follow the record before.
    #[error("the journal record that begins at seq {first_seq} does not fit its chain")]
    BrokenChain {
        /// Where.
        first_seq: u64,
    },
}

impl From<postcard::Error> for CodecError {
    fn from(error: postcard::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// An event as it stands in a record.
#[derive(serde::Serialize, serde::Deserialize)]
struct Wire<'a> {
    kind: u16,
    version: u8,
    at: i64,
    payload: &'a [u8],
}

fn pack<T: Serialize>(kind: u16, version: u8, fields: &T) -> Result<(u16, u8, Vec<u8>), CodecError> {
    Ok((kind, version, postcard::to_allocvec(fields)?))
}

fn unpack<T: DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
    Ok(postcard::from_bytes(payload)?)
}

macro_rules! wire {
    ($($kind:literal v $version:literal $variant:ident { $($field:ident),* };)*) => {
        fn encode_event(event: &Event) -> Result<(u16, u8, Vec<u8>), CodecError> {
            match event {
                // Written as it always was unless it says something new.
                Event::RunCreated { trigger, input, origin, prepared: 0, vars: None } => {
                    pack(1, 1, &(trigger, input, origin))
                }
                Event::RunCreated { trigger, input, origin, prepared, vars } => {
                    pack(1, 2, &(trigger, input, origin, prepared, vars))
                }
                Event::AttemptSucceeded { at, attempt, port, output, log: None } => {
                    pack(4, 1, &(at, attempt, port, output))
                }
                Event::AttemptSucceeded { at, attempt, port, output, log } => {
                    pack(4, 2, &(at, attempt, port, output, log))
                }
                Event::AttemptFailed { at, attempt, error, log: None } => pack(5, 1, &(at, attempt, error)),
                Event::AttemptFailed { at, attempt, error, log } => pack(5, 2, &(at, attempt, error, log)),
                Event::AttemptWaits { at, attempt, wait, log: None } => pack(6, 1, &(at, attempt, wait)),
                Event::AttemptWaits { at, attempt, wait, log } => pack(6, 2, &(at, attempt, wait, log)),
                $(Event::$variant { $($field),* } => pack($kind, $version, &($($field,)*)),)*
            }
        }

        fn decode_event(kind: u16, version: u8, payload: &[u8]) -> Result<Event, CodecError> {
            match (kind, version) {
                (1, 1) => {
                    let (trigger, input, origin) = unpack(payload)?;
                    Ok(Event::RunCreated { trigger, input, origin, prepared: 0, vars: None })
                }
                (1, 2) => {
                    let (trigger, input, origin, prepared, vars) = unpack(payload)?;
                    Ok(Event::RunCreated { trigger, input, origin, prepared, vars })
                }
                (4, 1) => {
                    let (at, attempt, port, output) = unpack(payload)?;
                    Ok(Event::AttemptSucceeded { at, attempt, port, output, log: None })
                }
                (4, 2) => {
                    let (at, attempt, port, output, log) = unpack(payload)?;
                    Ok(Event::AttemptSucceeded { at, attempt, port, output, log })
                }
                (5, 1) => {
                    let (at, attempt, error) = unpack(payload)?;
                    Ok(Event::AttemptFailed { at, attempt, error, log: None })
                }
                (5, 2) => {
                    let (at, attempt, error, log) = unpack(payload)?;
                    Ok(Event::AttemptFailed { at, attempt, error, log })
                }
                (6, 1) => {
                    let (at, attempt, wait) = unpack(payload)?;
                    Ok(Event::AttemptWaits { at, attempt, wait, log: None })
                }
                (6, 2) => {
                    let (at, attempt, wait, log) = unpack(payload)?;
                    Ok(Event::AttemptWaits { at, attempt, wait, log })
                }
                $(($kind, $version) => {
                    #[expect(clippy::allow_attributes, reason = "an event without fields reads the empty tuple")]
                    #[allow(clippy::let_unit_value)]
                    let ($($field,)*) = unpack(payload)?;
                    Ok(Event::$variant { $($field),* })
                })*
                _ => Err(CodecError::UnknownKind { kind, version }),
            }
        }
    };
}

wire! {
    2 v 1 RunRecovered { adoptions };
    3 v 1 RunReleased { unbegun };
    7 v 1 ItemsListed { node, count, items };
    8 v 1 ItemsCollected { node, output };
    9 v 1 EvaluationFailed { node, error };
    10 v 1 OutputEvaluated { output };
    11 v 1 TimerFired { timer };
    12 v 1 SignalReceived { signal, payload, kept };
    13 v 1 CancelRequested { by, reason, force };
    14 v 1 UncertainResolved { at, resolution, by };
    15 v 1 Reused { at, from, port, output };
    16 v 1 InputEdited { node, input };
    17 v 1 KeysRenewed { nodes };
    18 v 1 KeyInherited { at, generation };
    19 v 1 LeftOut { nodes, result };
    64 v 1 RunStarted { };
    65 v 1 NodeStarted { at, attempt, generation, class };
    66 v 1 NodeSucceeded { at, port, output };
    67 v 1 NodeRetrying { at, next_attempt, due };
    68 v 1 NodeFailed { at, error };
    69 v 1 NodeSkipped { node };
    70 v 1 NodeCanceled { at };
    71 v 1 NodeTimedOut { at };
    72 v 1 NodeUncertain { at, error };
    73 v 1 RunEnding { verdict, error };
    74 v 1 RunFinished { status, output, error };
}

/// Writes events as records of at most [`BODY_LIMIT`] bytes, chained to `prev`.
///
/// # Errors
/// Only for an event that cannot be written at all, which would be a defect.
pub fn encode(run: RunId, events: &[Recorded], prev: Digest) -> Result<Vec<Record>, CodecError> {
    let mut records: Vec<Record> = Vec::new();
    let mut body = Vec::new();
    let mut first_seq = None;
    let mut close = |body: &mut Vec<u8>, first_seq: u64, last_seq: u64| {
        let prev = records.last().map_or(prev, |record| record.digest);
        let body = std::mem::take(body);
        let digest = digest(run, first_seq, last_seq, &body, prev);
        records.push(Record { first_seq, last_seq, body, digest, prev });
    };
    for recorded in events {
        let (kind, version, payload) = encode_event(&recorded.event)?;
        let bytes = postcard::to_allocvec(&Wire { kind, version, at: recorded.at.0, payload: &payload })?;
        if let Some(first) = first_seq.filter(|_| body.len() + bytes.len() > BODY_LIMIT) {
            close(&mut body, first, recorded.seq - 1);
            first_seq = None;
        }
        first_seq = first_seq.or(Some(recorded.seq));
        body.extend_from_slice(&bytes);
    }
    if let (Some(first), Some(last)) = (first_seq, events.last()) {
        close(&mut body, first, last.seq);
    }
    Ok(records)
}

/// Reads one record's events.
///
/// # Errors
/// When the bytes are not a record, or one of a newer release.
pub fn decode(record: &Record) -> Result<Vec<Recorded>, CodecError> {
    let mut rest = record.body.as_slice();
    let mut events = Vec::new();
    let mut seq = record.first_seq;
    while !rest.is_empty() {
        let (wire, after): (Wire, &[u8]) = postcard::take_from_bytes(rest)?;
        let event = decode_event(wire.kind, wire.version, wire.payload)?;
        events.push(Recorded { seq, at: Timestamp(wire.at), event });
        seq += 1;
        rest = after;
    }
    if seq != record.last_seq + 1 {
        return Err(CodecError::Malformed(format!(
            "it names {}..={} but holds {} events",
            record.first_seq,
            record.last_seq,
            events.len()
        )));
    }
    Ok(events)
}

/// Checks that a record belongs where it stands.
///
/// # Errors
/// [`CodecError::BrokenChain`] when it was changed, or another one stood before it.
pub fn verify(run: RunId, record: &Record, prev: Digest) -> Result<(), CodecError> {
    let fits =
        record.prev == prev && record.digest == digest(run, record.first_seq, record.last_seq, &record.body, prev);
    if fits { Ok(()) } else { Err(CodecError::BrokenChain { first_seq: record.first_seq }) }
}

/// The digest that the first record follows.
pub const NO_RECORD: Digest = Digest([0; 32]);

fn digest(run: RunId, first_seq: u64, last_seq: u64, body: &[u8], prev: Digest) -> Digest {
    let hash = Sha256::new()
        .chain_update(run.0.as_bytes())
        .chain_update(first_seq.to_be_bytes())
        .chain_update(last_seq.to_be_bytes())
        .chain_update(FORMAT.to_be_bytes())
        .chain_update(prev.0)
        .chain_update(body);
    Digest(hash.finalize().into())
}
