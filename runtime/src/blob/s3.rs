//! Blobs behind an S3 API: `<prefix>/<workspace>/<first two digits>/<digest>`, and what is being taken under
//! `<prefix>/under-way/`. Only what every S3 API has is used.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use engine::time::Timestamp;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::BlobError;
use super::objects::{ABANDONED_AFTER, Address, Links, Listed, Objects, Pieces, UNDER_WAY, Upload};

mod link;

/// Bytes of one part of an upload; S3 takes 10,000 parts of at least 5 MiB each.
const PART: usize = 8 * 1024 * 1024;
/// Parts at the same time: with the one being gathered, what an upload holds in memory.
const PARTS_AT_ONCE: usize = 2;
/// The largest object that one call copies, as S3 has it; larger ones are copied in parts of this size.
const COPIED_AT_ONCE: u64 = 1024 * 1024 * 1024;

/// Where blobs lie, and how to get in.
#[derive(Clone)]
pub struct S3Settings {
    /// The bucket; it has to be there.
    pub bucket: String,
    /// What all names in the bucket begin with; empty for none.
    pub prefix: String,
    /// Another server than Amazon's.
    pub endpoint: Option<String>,
    /// The region that requests are signed for; from the environment when absent.
    pub region: Option<String>,
    /// Whether the bucket is in the path rather than in the host's name.
    pub path_style: bool,
    /// Key and secret; from the environment, the profile or the machine's role when absent.
    pub credentials: Option<(String, String)>,
    /// Whether checksums go along that some servers do not know.
    pub checksums: bool,
    /// Whether others get links into the bucket.
    pub links: Option<BucketLinks>,
}

/// How others reach the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketLinks {
    /// The server as they see it, where that is not `endpoint`.
    pub endpoint: Option<String>,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (bucket, prefix, endpoint) = (&self.bucket, &self.prefix, &self.endpoint);
        f.debug_struct("S3Settings")
            .field("bucket", bucket)
            .field("prefix", prefix)
            .field("endpoint", endpoint)
            .finish()
    }
}

/// A bucket, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct S3 {
    client: Client,
    bucket: String,
    prefix: String,
    /// Signs links; it sends nothing.
    linking: Option<Client>,
}

/// What the server, or the way to it, says; without the signature that went along.
fn failed<E, R>(what: &str, error: &SdkError<E, R>) -> BlobError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let said = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    };
    BlobError::Bucket { what: what.to_owned(), said: said.chars().take(500).collect() }
}

/// Whether the server says that there is no such thing.
fn is_absent<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}

impl S3 {
    /// The way to a bucket, tried once.
    ///
    /// # Errors
    /// When the server says that there is no such bucket, or that we may not use it.
    pub(super) async fn open(settings: &S3Settings) -> Result<Self, BlobError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        } else if settings.endpoint.is_some() {
            // Servers of one's own know no regions, and requests are signed for some; Amazon's machines need not be asked.
            loader = loader
                .region(RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else("us-east-1"));
        }
        if let Some((key, secret)) = &settings.credentials {
            loader = loader.credentials_provider(Credentials::new(key, secret, None, None, "settings"));
        }
        let shared = loader.load().await;
        let mut config =
            aws_sdk_s3::config::Builder::from(&shared).force_path_style(settings.path_style).timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .read_timeout(Duration::from_secs(60))
                    .build(),
            );
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if !settings.checksums {
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        let prefix = settings.prefix.trim_matches('/').to_owned();
        let config = config.build();
        let linking = settings.links.as_ref().map(|links| link::client(&config, links));
        let s3 = Self { client: Client::from_conf(config), bucket: settings.bucket.clone(), prefix, linking };
        s3.look().await?;
        Ok(s3)
    }

    /// A bucket that is not there is a fault of the settings; a server that is away may come back.
    async fn look(&self) -> Result<(), BlobError> {
        let Err(error) = self.client.head_bucket().bucket(&self.bucket).send().await else { return Ok(()) };
        match error.raw_response().map(|response| response.status().as_u16()) {
            Some(404) => Err(BlobError::Bucket {
                what: format!("finding the bucket `{}`", self.bucket),
                said: "there is none of that name; make it, or name another in `artifact.url`".to_owned(),
            }),
            Some(401 | 403) => Err(BlobError::Bucket {
                what: format!("opening the bucket `{}`", self.bucket),
                said: "the server does not let us in; look at the credentials and what they may do".to_owned(),
            }),
            _ => {
                let error = failed("looking for the bucket", &error);
                tracing::warn!(error = %error, "the artifact store does not answer; large values and files must wait for it");
                Ok(())
            }
        }
    }

    fn named(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    fn key(&self, at: Address) -> String {
        self.named(&at.path())
    }

    fn beside(&self, unique: Uuid) -> String {
        self.named(&format!("{UNDER_WAY}/{}", unique.simple()))
    }

    /// How a copy names what it copies.
    fn source(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket)
    }

    async fn len(&self, key: &str) -> Result<Option<u64>, BlobError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(found) => Ok(Some(found.content_length().and_then(|len| u64::try_from(len).ok()).unwrap_or_default())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed("looking at an object", &error)),
        }
    }

    async fn remove(&self, key: &str) -> Result<(), BlobError> {
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await {
            Err(error) if !is_absent(&error) => Err(failed("deleting an object", &error)),
            _ => Ok(()),
        }
    }

    async fn begin_parts(&self, key: &str) -> Result<String, BlobError> {
        let begun = self.client.create_multipart_upload().bucket(&self.bucket).key(key).send().await;
        let begun = begun.map_err(|error| failed("beginning an upload", &error))?;
        begun.upload_id.ok_or_else(|| BlobError::Bucket {
            what: "beginning an upload".to_owned(),
            said: "the server gave it no id".to_owned(),
        })
    }

    async fn join_parts(&self, key: &str, upload: &str, mut parts: Vec<CompletedPart>) -> Result<(), BlobError> {
        parts.sort_by_key(CompletedPart::part_number);
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let joined = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        joined.multipart_upload(whole).send().await.map_err(|error| failed("ending an upload", &error))?;
        Ok(())
    }

    async fn copy(&self, from: &str, size: u64, to: &str) -> Result<(), BlobError> {
        if size > COPIED_AT_ONCE {
            return self.copy_in_parts(from, size, to).await;
        }
        let copied = self.client.copy_object().bucket(&self.bucket).key(to).copy_source(self.source(from));
        copied.send().await.map_err(|error| failed("copying an object", &error))?;
        Ok(())
    }

    /// The bytes of an object, or a part of them; `None` when it is not there.
    async fn pieces(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Pieces>, BlobError> {
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let body = match self.client.get_object().bucket(&self.bucket).key(key).set_range(range).send().await {
            Ok(got) => got.body,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed("getting an object", &error)),
        };
        let pieces = futures::stream::try_unfold(body, |mut body| async move {
            Ok(body.try_next().await?.map(|piece| (piece, body)))
        });
        let broken = |error: aws_sdk_s3::primitives::ByteStreamError| BlobError::Bucket {
            what: "getting an object".to_owned(),
            said: error.to_string(),
        };
        Ok(Some(pieces.map_err(broken).boxed()))
    }

    async fn copy_in_parts(&self, from: &str, size: u64, to: &str) -> Result<(), BlobError> {
        let upload = self.begin_parts(to).await?;
        let mut parts = Vec::new();
        let mut at = 0;
        while at < size {
            let end = (at + COPIED_AT_ONCE).min(size);
            let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
            let copied =
                self.client.upload_part_copy().bucket(&self.bucket).key(to).upload_id(&upload).part_number(number);
            let copied = copied.copy_source(self.source(from)).copy_source_range(format!("bytes={at}-{}", end - 1));
            let copied = copied.send().await.map_err(|error| failed("copying an object", &error))?;
            let tag = copied.copy_part_result.and_then(|result| result.e_tag);
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
            at = end;
        }
        self.join_parts(to, &upload, parts).await
    }

    async fn delete_old_objects(&self, now: Timestamp) -> Result<(), BlobError> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.named(&format!("{UNDER_WAY}/")));
        let mut pages = listed.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("listing objects", &error))?;
            for object in page.contents() {
                if let Some(key) = object.key().filter(|_| is_old(object.last_modified(), now)) {
                    self.remove(key).await?;
                }
            }
        }
        Ok(())
    }

    /// As many as one answer lists; the next sweep goes on.
    async fn abort_old_uploads(&self, now: Timestamp) -> Result<(), BlobError> {
        let listed = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(self.named(""));
        let listed = listed.send().await.map_err(|error| failed("listing uploads", &error))?;
        for upload in listed.uploads() {
            let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
            if is_old(upload.initiated(), now) {
                let aborted = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
                match aborted.send().await {
                    Err(error) if !is_absent(&error) => return Err(failed("ending an upload", &error)),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn is_old(at: Option<&DateTime>, now: Timestamp) -> bool {
    at.and_then(|at| i64::try_from(at.as_nanos() / 1000).ok())
        .is_some_and(|micros| now.since(Timestamp(micros)) > ABANDONED_AFTER)
}

#[async_trait]
impl Objects for S3 {
    async fn put(&self, at: Address, bytes: Bytes, _unique: Uuid) -> Result<(), BlobError> {
        let key = self.key(at);
        if self.len(&key).await? == Some(bytes.len() as u64) {
            return Ok(());
        }
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        put.send().await.map_err(|error| failed("putting an object", &error))?;
        Ok(())
    }

    async fn begin(&self, unique: Uuid) -> Result<Box<dyn Upload>, BlobError> {
        let key = self.beside(unique);
        let upload = self.begin_parts(&key).await?;
        let gathered = BytesMut::with_capacity(PART);
        Ok(Box::new(Parts {
            s3: self.clone(),
            key,
            upload,
            gathered,
            sent: 0,
            sending: JoinSet::new(),
            done: Vec::new(),
        }))
    }

    async fn settle(&self, unique: Uuid, size: u64, at: Address) -> Result<(), BlobError> {
        let (from, to) = (self.beside(unique), self.key(at));
        if self.len(&to).await? != Some(size) {
            self.copy(&from, size, &to).await?;
        }
        self.remove(&from).await
    }

    async fn read(&self, at: Address, range: Option<Range<u64>>) -> Result<Pieces, BlobError> {
        self.pieces(&self.key(at), range).await?.ok_or(BlobError::Missing(at.digest))
    }

    async fn size(&self, at: Address) -> Result<Option<u64>, BlobError> {
        self.len(&self.key(at)).await
    }

    async fn delete(&self, at: Address) -> Result<(), BlobError> {
        self.remove(&self.key(at)).await
    }

    async fn list(&self, after: Option<String>) -> Result<(Vec<Listed>, Option<String>), BlobError> {
        let root = self.named("");
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(&root).set_continuation_token(after);
        let page = listed.send().await.map_err(|error| failed("listing objects", &error))?;
        let objects = page.contents().iter().filter_map(|object| {
            let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            Some(Listed { path: object.key()?.strip_prefix(&root)?.to_owned(), size })
        });
        let next = page.next_continuation_token().filter(|_| page.is_truncated() == Some(true));
        Ok((objects.collect(), next.map(str::to_owned)))
    }

    async fn delete_abandoned(&self, now: Timestamp) -> Result<(), BlobError> {
        self.delete_old_objects(now).await?;
        self.abort_old_uploads(now).await
    }

    fn links(&self) -> Option<&dyn Links> {
        self.linking.as_ref().map(|_| self as &dyn Links)
    }
}

/// An upload in parts.
struct Parts {
    s3: S3,
    key: String,
    upload: String,
    gathered: BytesMut,
    /// Parts that were begun.
    sent: i32,
    sending: JoinSet<Result<CompletedPart, BlobError>>,
    done: Vec<CompletedPart>,
}

impl Parts {
    async fn send(&mut self) -> Result<(), BlobError> {
        if self.sending.len() >= PARTS_AT_ONCE {
            self.arrived().await?;
        }
        self.sent += 1;
        let bytes = std::mem::replace(&mut self.gathered, BytesMut::with_capacity(PART)).freeze();
        let number = self.sent;
        let part = self.s3.client.upload_part().bucket(&self.s3.bucket).key(&self.key).upload_id(&self.upload);
        let part = part.part_number(number).body(ByteStream::from(bytes));
        self.sending.spawn(async move {
            let sent = part.send().await.map_err(|error| failed("sending a part of an upload", &error))?;
            Ok(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build())
        });
        Ok(())
    }

    /// Waits until one of the parts under way has come.
    async fn arrived(&mut self) -> Result<(), BlobError> {
        match self.sending.join_next().await {
            None => Ok(()),
            Some(Ok(part)) => {
                self.done.push(part?);
                Ok(())
            }
            Some(Err(error)) => {
                Err(BlobError::Bucket { what: "sending a part of an upload".to_owned(), said: error.to_string() })
            }
        }
    }
}

#[async_trait]
impl Upload for Parts {
    async fn write(&mut self, mut piece: Bytes) -> Result<(), BlobError> {
        while !piece.is_empty() {
            let room = PART.saturating_sub(self.gathered.len()).min(piece.len());
            self.gathered.extend_from_slice(&piece.split_to(room));
            if self.gathered.len() >= PART {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        if !self.gathered.is_empty() || self.sent == 0 {
            self.send().await?;
        }
        while !self.sending.is_empty() {
            self.arrived().await?;
        }
        let parts = std::mem::take(&mut self.done);
        self.s3.join_parts(&self.key, &self.upload, parts).await
    }

    async fn abandon(mut self: Box<Self>) {
        self.sending.shutdown().await;
        let aborted = self.s3.client.abort_multipart_upload().bucket(&self.s3.bucket).key(&self.key);
        // If that fails, the sweep does it.
        drop(aborted.upload_id(&self.upload).send().await);
    }
}

#[cfg(test)]
impl S3Settings {
    /// A place of its own in the bucket that the tests are given, by
    /// `FLOWFORGE_TEST_S3=http://KEY:SECRET@HOST:PORT/BUCKET`.
    #[expect(clippy::disallowed_methods, reason = "the servers of the tests are told by the environment")]
    pub(crate) async fn for_test() -> Self {
        let url = std::env::var("FLOWFORGE_TEST_S3")
            .unwrap_or_else(|_| panic!("FLOWFORGE_TEST_S3 names no S3 server; `make test` starts one"));
        let url: reqwest::Url = url.parse().unwrap();
        let settings = Self {
            bucket: url.path().trim_matches('/').to_owned(),
            prefix: format!("of/{}", crate::clock::Clock::system().new_id().simple()),
            endpoint: Some(format!("http://{}:{}", url.host_str().unwrap(), url.port().unwrap())),
            region: None,
            path_style: true,
            credentials: Some((url.username().to_owned(), url.password().unwrap().to_owned())),
            checksums: true,
            links: Some(BucketLinks::default()),
        };
        let nowhere = Self { bucket: "nobody-made-this".to_owned(), ..settings.clone() };
        let error = S3::open(&nowhere).await.unwrap_err();
        assert!(error.to_string().contains("`nobody-made-this`"), "{error}");
        settings
    }
}
