//! A map that keeps the order in which its keys came, as FreeMarker's and JSON's hashes do.

/// Up to this many entries a scan is faster than an index.
const SCANNED: usize = 16;

/// A map in order of insertion. A repeated key keeps its first place and takes its last value.
#[derive(Debug, Clone)]
pub(crate) struct Ordered<K, V> {
    entries: Vec<(K, V)>,
    /// Places of the entries in order of their keys; empty for small maps.
    index: Vec<u32>,
}

impl<K: AsRef<str>, V> Ordered<K, V> {
    pub(crate) fn new(mut entries: Vec<(K, V)>) -> Self {
        if entries.len() <= SCANNED {
            let mut at = 1;
            while at < entries.len() {
                let (before, rest) = entries.split_at(at);
                let earlier =
                    rest.first().and_then(|(key, _)| before.iter().position(|(k, _)| same(k, key)));
                match earlier {
                    Some(place) => {
                        let (_, value) = entries.remove(at);
                        if let Some(entry) = entries.get_mut(place) {
                            entry.1 = value;
                        }
                    }
                    None => at += 1,
                }
            }
            return Self { entries, index: Vec::new() };
        }
        let mut index = order(&entries);
        if repeats(&entries, &index) {
            entries = merged(entries, &index);
            index = order(&entries);
        }
        Self { entries, index }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        if self.index.is_empty() {
            return self.entries.iter().find(|(k, _)| k.as_ref() == key).map(|(_, value)| value);
        }
        let found =
            self.index.binary_search_by(|place| key_at(&self.entries, *place).cmp(key)).ok()?;
        self.index
            .get(found)
            .and_then(|place| self.entries.get(*place as usize))
            .map(|(_, value)| value)
    }

    pub(crate) fn entries(&self) -> &[(K, V)] {
        &self.entries
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn same<K: AsRef<str>>(a: &K, b: &K) -> bool {
    a.as_ref() == b.as_ref()
}

fn key_at<K: AsRef<str>, V>(entries: &[(K, V)], place: u32) -> &str {
    entries.get(place as usize).map_or("", |(key, _)| key.as_ref())
}

fn order<K: AsRef<str>, V>(entries: &[(K, V)]) -> Vec<u32> {
    let mut index: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
    index.sort_by(|a, b| key_at(entries, *a).cmp(key_at(entries, *b)));
    index
}

fn repeats<K: AsRef<str>, V>(entries: &[(K, V)], index: &[u32]) -> bool {
    index
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if key_at(entries, *a) == key_at(entries, *b)))
}

/// Every repeated key at its first place with its last value; the sort was stable, so equal keys stand in order.
fn merged<K: AsRef<str>, V>(entries: Vec<(K, V)>, index: &[u32]) -> Vec<(K, V)> {
    let mut first: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
    for pair in index.windows(2) {
        if let [a, b] = pair
            && key_at(&entries, *a) == key_at(&entries, *b)
        {
            let head = first.get(*a as usize).copied().unwrap_or(*a);
            if let Some(slot) = first.get_mut(*b as usize) {
                *slot = head;
            }
        }
    }
    let mut kept: Vec<Option<(K, V)>> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        let head = first.get(at).map_or(at, |place| *place as usize);
        if head == at {
            kept.push(Some(entry));
        } else {
            kept.push(None);
            if let Some(Some(slot)) = kept.get_mut(head) {
                slot.1 = entry.1;
            }
        }
    }
    kept.into_iter().flatten().collect()
}
