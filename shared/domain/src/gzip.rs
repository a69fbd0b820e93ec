//! Compression with bounds.

use std::io::{Read, Write};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

/// Why bytes could not be decompressed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GunzipError {
    /// Not gzip, or cut short.
    #[error("not gzip: {0}")]
    NotGzip(String),
    /// More than the limit came out.
    #[error("more than {0} bytes when decompressed")]
    TooLarge(usize),
}

/// Compresses with level 1: measured at a quarter of level 6's time for bodies that repeat
/// themselves as impressions do.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Decompresses to at most `limit` bytes.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, GunzipError> {
    let mut out = Vec::with_capacity(limit.min(bytes.len().saturating_mul(4)));
    let ceiling = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(bytes)
        .take(ceiling)
        .read_to_end(&mut out)
        .map_err(|error| GunzipError::NotGzip(error.to_string()))?;
    if out.len() > limit {
        return Err(GunzipError::TooLarge(limit));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let text = "impression ".repeat(1_000).into_bytes();
        let packed = gzip(&text);
        assert!(packed.len() < text.len() / 10);
        assert_eq!(gunzip(&packed, text.len()).unwrap(), text);
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 10_000_000]);
        assert_eq!(gunzip(&bomb, 1_000_000), Err(GunzipError::TooLarge(1_000_000)));
    }

    #[test]
    fn memory_is_taken_as_bytes_come_out_and_not_for_the_limit() {
        let packed = gzip(&vec![b' '; 100_000]);
        let out = gunzip(&packed, 1 << 30).unwrap();
        assert!(out.capacity() <= 4 * out.len(), "{}", out.capacity());
        let small = gunzip(&gzip(b"{}"), 1 << 30).unwrap();
        assert!(small.capacity() < 1_000, "{}", small.capacity());
    }

    #[test]
    fn what_is_not_gzip_or_cut_short_is_an_error() {
        assert!(matches!(gunzip(b"[]", 10), Err(GunzipError::NotGzip(_))));
        assert!(matches!(gunzip(b"", 10), Err(GunzipError::NotGzip(_))));
        let packed = gzip(b"some text that is long enough to be cut");
        assert!(matches!(gunzip(&packed[..packed.len() - 9], 99), Err(GunzipError::NotGzip(_))));
    }
}
