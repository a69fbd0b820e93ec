use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;
use crate::surroundings::Environment;

static MADE: AtomicU32 = AtomicU32::new(0);

/// A directory of the test's own, removed at its end.
struct Home(PathBuf);

impl Home {
    fn new(config: &str) -> Self {
        let name =
            format!("flagpost-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        fs::create_dir_all(home.join("flagpost")).unwrap();
        fs::write(home.join("flagpost/config.toml"), config).unwrap();
        Self(home)
    }

    fn find(&self, flags: &Connection, environment: Environment) -> Result<Configuration, Fault> {
        find(flags, Environment { config_home: Some(self.0.clone()), ..environment })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn usage(outcome: Result<Configuration, Fault>) -> String {
    match outcome {
        Err(Fault::Usage(told)) => told,
        Err(other) => panic!("another fault: {other}"),
        Ok(_) => panic!("no fault"),
    }
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let home = Home::new("url = 'https://file.example'\nproject = 'file'\nkey = 'from-the-file'\n");
    let file = home.find(&Connection::default(), Environment::default()).unwrap();
    assert_eq!(
        (file.url.as_str(), file.project.as_deref(), file.key.as_str()),
        ("https://file.example/", Some("file"), "from-the-file")
    );

    let environment = || Environment {
        url: Some("https://env.example/x/".into()),
        key: Some("from-env".into()),
        project: Some("env".into()),
        ..Environment::default()
    };
    let found = home.find(&Connection::default(), environment()).unwrap();
    assert_eq!(
        (found.url.as_str(), found.project.as_deref(), found.key.as_str()),
        ("https://env.example/x", Some("env"), "from-env")
    );

    let flags = Connection {
        url: Some("http://127.0.0.1:4566".into()),
        key: Some("from-flag".into()),
        project: Some("flag".into()),
        ..Connection::default()
    };
    let found = home.find(&flags, environment()).unwrap();
    assert_eq!(
        (found.url.as_str(), found.project.as_deref(), found.key.as_str()),
        ("http://127.0.0.1:4566/", Some("flag"), "from-flag")
    );
}

#[test]
fn keys_come_from_files_and_commands_too() {
    let home =
        Home::new("url = 'https://a.example'\nkey_command = 'echo from-a-command; echo more'\n");
    assert_eq!(
        home.find(&Connection::default(), Environment::default()).unwrap().key,
        "from-a-command"
    );

    let path = home.0.join("key");
    fs::write(&path, "  from-a-key-file \nsecond line\n").unwrap();
    let flags = Connection { key_file: Some(path), ..Connection::default() };
    let environment = Environment { key: Some("from-env".into()), ..Environment::default() };
    assert_eq!(home.find(&flags, environment).unwrap().key, "from-a-key-file");
}

#[test]
fn a_command_that_fails_fails_the_command_line() {
    let home = Home::new("url = 'https://a.example'\nkey_command = 'exit 3'\n");
    let fault = home.find(&Connection::default(), Environment::default()).err().unwrap();
    assert!(matches!(&fault, Fault::Failed(told) if told.contains("exit status: 3")), "{fault}");
}

#[test]
fn what_is_missing_is_told() {
    let empty = Home::new("");
    assert!(usage(empty.find(&Connection::default(), Environment::default())).contains("--url"));
    let flags = Connection { url: Some("https://a.example".into()), ..Connection::default() };
    assert!(usage(empty.find(&flags, Environment::default())).contains("FLAGPOST_ADMIN_KEY"));
    let absent = Connection { config: Some(empty.0.join("absent.toml")), ..Connection::default() };
    assert!(usage(empty.find(&absent, Environment::default())).contains("absent.toml"));
}

#[test]
fn a_faulty_file_is_told_by_its_line_and_never_shows_the_key() {
    for config in [
        "url = 'https://a.example'\nkey = 'sesame-open\n",
        "url = 'https://a.example'\nkey = sesame-open\n",
        "key = 'sesame-open'\nkey_command = 'echo sesame-open'\nurl = 'https://a.example'\n",
        "key = 'sesame-open é'\nurl = 'https://a.example'\n",
        "url = 'https://a.example'\nkey = ['sesame-open']\n",
        "url = 'https://a.example'\nkey = 'sesame-open' 'sesame-open'\n",
    ] {
        let told = usage(Home::new(config).find(&Connection::default(), Environment::default()));
        assert!(!told.contains("sesame"), "{told}");
    }
    let home = Home::new("url = 'https://a.example'\nkeys = 'x'\n");
    let told = usage(home.find(&Connection::default(), Environment::default()));
    assert!(told.contains("config.toml:2") && told.contains("keys"), "{told}");
}

#[test]
fn the_key_travels_encrypted_or_not_at_all() {
    for good in [
        "https://a.example",
        "http://localhost:8080",
        "http://x.localhost",
        "http://127.0.0.2/base",
        "http://[::1]:1",
    ] {
        assert!(address(good).is_ok(), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://10.0.0.1",
        "ftp://a.example",
        "a.example",
        "https://",
        "https://u:p@a.example",
        "https://a.example?x=1",
        "https://a.example#f",
        "http://localhost.example",
    ] {
        assert!(matches!(address(bad), Err(Fault::Usage(_))), "{bad}");
    }
}

#[test]
fn headers_are_names_and_values_and_never_the_keys_own() {
    assert_eq!(header("Host:  a:1 ").unwrap(), ("Host".to_owned(), "a:1".to_owned()));
    assert!(header("Host").is_err());
    assert!(header("authorization: Bearer x").is_err());
}
