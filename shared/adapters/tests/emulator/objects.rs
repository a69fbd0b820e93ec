use bytes::Bytes;
use flagpost_domain::ports::{Objects, PortError};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::stack::{Stack, now, unique};

#[tokio::test]
async fn an_object_is_put_read_and_deleted() {
    let stack = Stack::open().await;
    let bucket = stack.bucket();
    let key = format!("parked/{}/0000000000001-d-1.json.gz", unique());
    assert_eq!(bucket.get(&key).await, Ok(None));
    bucket.delete(&key).await.unwrap();

    let body = Bytes::from_static(&[0x1f, 0x8b, 0, 255, 10, 13]);
    bucket.put(&key, body.clone()).await.unwrap();
    assert_eq!(bucket.get(&key).await, Ok(Some(body)));
    let head = aws_sdk_s3::config::Builder::from(&stack.config).force_path_style(true).build();
    let head = aws_sdk_s3::Client::from_conf(head).head_object();
    let head = head.bucket(stack.output("BucketName")).key(&key).send().await.unwrap();
    assert_eq!(head.content_type(), Some("application/gzip"));
    assert_eq!(head.content_encoding(), None);

    bucket.put(&key, Bytes::from_static(b"other")).await.unwrap();
    assert_eq!(bucket.get(&key).await, Ok(Some(Bytes::from_static(b"other"))));
    bucket.delete(&key).await.unwrap();
    assert_eq!(bucket.get(&key).await, Ok(None));
}

#[tokio::test]
async fn a_listing_goes_on_after_a_key_in_the_order_of_keys() {
    let bucket = Stack::open().await.bucket();
    let prefix = format!("parked/{}/", unique());
    assert_eq!(bucket.list(&prefix, None).await, Ok(vec![]));
    let before = now().0;
    let keys: Vec<_> = (0..1_005).map(|n| format!("{prefix}{n:013}-d-1.json.gz")).collect();
    let put = |key: &String| {
        let (bucket, key) = (bucket.clone(), key.clone());
        async move { bucket.put(&key, Bytes::from_static(b"x")).await }
    };
    let puts = stream::iter(keys.iter().rev().map(put).collect::<Vec<_>>());
    puts.buffer_unordered(8).try_collect::<()>().await.unwrap();

    let page = bucket.list(&prefix, None).await.unwrap();
    assert!(page.iter().map(|listed| &listed.key).eq(&keys[..1_000]));
    for listed in &page {
        assert!((listed.modified.0 - before).abs() < 600_000, "{listed:?}");
    }
    let rest = bucket.list(&prefix, Some(&keys[999])).await.unwrap();
    assert!(rest.iter().map(|listed| &listed.key).eq(&keys[1_000..]));
    // A key that is gone by now serves as well.
    bucket.delete(&keys[1_002]).await.unwrap();
    let rest = bucket.list(&prefix, Some(&keys[1_002])).await.unwrap();
    assert!(rest.iter().map(|listed| &listed.key).eq(&keys[1_003..]));
    assert_eq!(bucket.list(&prefix, Some(&keys[1_004])).await, Ok(vec![]));

    let delete = |key: &String| {
        let (bucket, key) = (bucket.clone(), key.clone());
        async move { bucket.delete(&key).await }
    };
    let deletes = stream::iter(keys.iter().map(delete).collect::<Vec<_>>());
    deletes.buffer_unordered(8).try_collect::<()>().await.unwrap();
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error_and_not_an_absence() {
    let bucket = Stack::open().await.clients.bucket(unique());
    for error in [
        bucket.get("key").await.map(|_| ()).unwrap_err(),
        bucket.put("key", Bytes::new()).await.unwrap_err(),
        bucket.list("", None).await.map(|_| ()).unwrap_err(),
    ] {
        let PortError::Failed { reason, .. } = error else { panic!("{error}") };
        assert!(reason.contains("NoSuchBucket"), "{reason}");
    }
}
