//! Flagpost as a whole, seen from outside. There is nothing here but tests: `e2e/` runs against the
//! stack deployed from `template.yaml`, `fixtures/` is what it sends.
