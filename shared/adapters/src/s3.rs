//! Parked and dead deliveries, on S3.

use aws_sdk_s3::{
    Client,
    operation::{get_object::GetObjectError, list_objects_v2::ListObjectsV2Output},
    primitives::ByteStream,
    types::Object,
};
use bytes::Bytes;
use flagpost_domain::{
    ports::{Listed, Objects, PortError, PortResult},
    time::Timestamp,
};

use crate::failure::port_error;

const PUT: &str = "s3:PutObject";
const GET: &str = "s3:GetObject";
const DELETE: &str = "s3:DeleteObject";
const LIST: &str = "s3:ListObjectsV2";

/// Keys in one page of a listing at most.
const PAGE: i32 = 1_000;

/// One bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
}

impl S3 {
    /// Uses the bucket of this name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        token: Option<String>,
    ) -> PortResult<ListObjectsV2Output> {
        self.client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned))
            .set_continuation_token(token)
            .max_keys(PAGE)
            .send()
            .await
            .map_err(|error| port_error(LIST, &error))
    }
}

impl Objects for S3 {
    /// The object is a `.gz` file and says nothing of its encoding: a client that undid it would
    /// hand out other bytes than were put.
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/gzip")
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|error| port_error(PUT, &error))?;
        Ok(())
    }

    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        let output = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(output) => output,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(port_error(GET, &error)),
        };
        let body = output.body.collect().await.map_err(|error| PortError::Failed {
            call: GET,
            reason: format!("the body broke off: {error}"),
        })?;
        Ok(Some(body.into_bytes()))
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| port_error(DELETE, &error))?;
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        let mut token = None;
        loop {
            let page = self.page(prefix, after, token).await?;
            token = page.next_continuation_token;
            let objects = page.contents.unwrap_or_default();
            // S3 may answer with fewer keys than there are, and only an empty page is the end.
            if !objects.is_empty() || token.is_none() {
                return objects.into_iter().map(listed).collect();
            }
        }
    }
}

fn listed(object: Object) -> PortResult<Listed> {
    let incomplete = |what: &str| PortError::Failed {
        call: LIST,
        reason: format!("an object without a {what} in the listing"),
    };
    let key = object.key.ok_or_else(|| incomplete("key"))?;
    let modified = object
        .last_modified
        .and_then(|time| time.to_millis().ok())
        .ok_or_else(|| incomplete("time"))?;
    Ok(Listed { key, modified: Timestamp(modified) })
}
