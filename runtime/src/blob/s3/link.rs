//! Presigned requests: whoever has one does that and nothing else, until its time is over.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::{Client, Config};
use uuid::Uuid;

use super::{BucketLinks, S3, failed};
use crate::blob::BlobError;
use crate::blob::objects::{Address, Link, Links, Pieces, Shown};

/// A client that signs for the server as others see it.
pub(super) fn client(config: &Config, links: &BucketLinks) -> Client {
    let mut config = config.to_builder();
    // A sum of bytes that nobody has yet would be the sum of none.
    config.set_request_checksum_calculation(Some(RequestChecksumCalculation::WhenRequired));
    if let Some(endpoint) = &links.endpoint {
        config.set_endpoint_url(Some(endpoint.clone()));
    }
    Client::from_conf(config.build())
}

fn unsigned(said: impl std::fmt::Display) -> BlobError {
    BlobError::Bucket { what: "signing a link".to_owned(), said: said.to_string() }
}

fn link(request: &PresignedRequest) -> Link {
    let headers = request.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Link { url: request.uri().to_owned(), headers: headers.collect() }
}

impl S3 {
    fn linking(&self) -> Result<&Client, BlobError> {
        self.linking.as_ref().ok_or_else(|| unsigned("the settings say that there are none"))
    }
}

#[async_trait]
impl Links for S3 {
    async fn download(&self, at: Address, shown: Shown<'_>, lives: Duration) -> Result<Link, BlobError> {
        let lives = PresigningConfig::expires_in(lives).map_err(unsigned)?;
        let get = self.linking()?.get_object().bucket(&self.bucket).key(self.key(at));
        let get = get.response_content_disposition(shown.disposition).response_content_type(shown.media_type);
        let signed = get.response_cache_control("private, no-store").presigned(lives).await;
        Ok(link(&signed.map_err(|error| failed("signing a link", &error))?))
    }

    async fn upload(&self, sent: Uuid, size: u64, lives: Duration) -> Result<Link, BlobError> {
        let lives = PresigningConfig::expires_in(lives).map_err(unsigned)?;
        let size = i64::try_from(size).map_err(unsigned)?;
        let put = self.linking()?.put_object().bucket(&self.bucket).key(self.beside(sent)).content_length(size);
        let signed = put.presigned(lives).await;
        Ok(link(&signed.map_err(|error| failed("signing a link", &error))?))
    }

    async fn sent(&self, sent: Uuid) -> Result<Option<u64>, BlobError> {
        self.len(&self.beside(sent)).await
    }

    async fn take(&self, sent: Uuid, size: u64, unique: Uuid) -> Result<(), BlobError> {
        self.copy(&self.beside(sent), size, &self.beside(unique)).await
    }

    async fn taken(&self, unique: Uuid) -> Result<Pieces, BlobError> {
        let gone = || BlobError::Bucket { what: "reading what was sent".to_owned(), said: "it is gone".to_owned() };
        self.pieces(&self.beside(unique), None).await?.ok_or_else(gone)
    }

    async fn forget(&self, sent: Uuid) -> Result<(), BlobError> {
        self.remove(&self.beside(sent)).await
    }
}
