//! Reading a request's body within a bound.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use futures::{Stream, StreamExt as _};

/// How much of a body that is too large is read and thrown away. Most clients read the answer only after they sent
/// everything; to them an answer before that looks like a lost connection.
const POLITENESS: usize = 64 * 1024 * 1024;
/// For how long.
const POLITE_FOR: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is over the bound.
    TooLarge,
    /// The client went away in the middle of it.
    BrokeOff,
}

/// The whole body, of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // A client that asks before it sends can be told at once.
    let is_hopeless = length.is_some_and(|length| {
        length > limit && (headers.contains_key(EXPECT) || length.saturating_sub(limit) > POLITENESS)
    });
    if is_hopeless { Err(BodyError::TooLarge) } else { gather(body.into_data_stream(), length, limit).await }
}

async fn gather(
    mut pieces: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    length: Option<usize>,
    limit: usize,
) -> Result<Bytes, BodyError> {
    let mut gathered = Vec::with_capacity(length.unwrap_or_default().min(limit));
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| BodyError::BrokeOff)?;
        if gathered.len() + piece.len() > limit {
            drop(gathered);
            // Whether it ends, breaks off or takes too long, the answer is the same.
            let _ = tokio::time::timeout(POLITE_FOR, throw_away(pieces)).await;
            return Err(BodyError::TooLarge);
        }
        gathered.extend_from_slice(&piece);
    }
    Ok(Bytes::from(gathered))
}

async fn throw_away(mut pieces: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin) {
    let mut left = POLITENESS;
    while let Some(Ok(piece)) = pieces.next().await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn pieces(count: usize) -> Body {
        Body::from_stream(futures::stream::iter(
            (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345"))),
        ))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_one_byte_more() {
        let headers = HeaderMap::new();
        assert_eq!(read(&headers, pieces(2), 10).await, Ok(Bytes::from_static(b"1234512345")));
        assert_eq!(read(&headers, pieces(2), 9).await, Err(BodyError::TooLarge));
        assert_eq!(read(&headers, Body::empty(), 0).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn a_client_that_asks_first_is_refused_before_it_sends() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("11"));
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(read(&headers, never, 10).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_half_taken() {
        let broken = vec![Ok(Bytes::from_static(b"1")), Err(std::io::Error::other("gone"))];
        let body = Body::from_stream(futures::stream::iter(broken));
        assert_eq!(read(&HeaderMap::new(), body, 10).await, Err(BodyError::BrokeOff));
    }
}
