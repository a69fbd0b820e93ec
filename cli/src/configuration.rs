//! Which deployment, with which key: flags before the environment, and that before the file.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;
use url::{Host, Url};

use crate::{arguments::Connection, fault::Fault, surroundings};

/// What every command needs.
#[derive(Clone)]
pub(crate) struct Configuration {
    /// Without a slash at the end of its path.
    pub(crate) url: Url,
    pub(crate) key: String,
    pub(crate) project: Option<String>,
    /// Names and values for every request.
    pub(crate) headers: Vec<(String, String)>,
}

/// What the file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: Option<String>,
    project: Option<String>,
    key: Option<String>,
    key_file: Option<PathBuf>,
    key_command: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

/// Where the key comes from; it is fetched only when nothing comes before it.
#[derive(Debug, PartialEq, Eq)]
enum KeySource {
    Given(String),
    File(PathBuf),
    Command(String),
}

/// Puts the three sources together.
pub(crate) fn find(
    flags: &Connection,
    environment: surroundings::Environment,
) -> Result<Configuration, Fault> {
    let named = flags.config.clone().or(environment.config);
    let standard = environment.config_home.map(|home| home.join("flagpost").join("config.toml"));
    let path = named.or(standard.filter(|path| path.is_file()));
    let mut file = path.as_deref().map_or_else(|| Ok(Written::default()), read)?;
    if let (Some(path), Some(key_file)) = (&path, file.key_file.take()) {
        file.key_file = Some(beside(path, &key_file, environment.home.as_deref()));
    }
    let url = flags.url.clone().or(environment.url).or(file.url);
    let url =
        url.ok_or_else(|| missing("the deployment's address", "--url, FLAGPOST_URL or `url`"))?;
    let project = flags.project.clone().or(environment.project).or(file.project);
    let flag =
        flags.key.clone().map(KeySource::Given).or(flags.key_file.clone().map(KeySource::File));
    let source = flag
        .or(environment.key.map(KeySource::Given))
        .map_or_else(
            || from_file(file.key, file.key_file, file.key_command),
            |source| Ok(Some(source)),
        )?
        .ok_or_else(|| {
            missing("the admin key", "--key-file, FLAGPOST_ADMIN_KEY or `key_command`")
        })?;
    let headers = file
        .headers
        .iter()
        .chain(&flags.headers)
        .map(|line| header(line))
        .collect::<Result<_, _>>()?;
    Ok(Configuration { url: address(&url)?, key: fetch(source)?, project, headers })
}

fn missing(what: &str, places: &str) -> Fault {
    Fault::Usage(format!(
        "{what} is not set: {places} in the configuration file (see `flagpost --help`)"
    ))
}

fn read(path: &Path) -> Result<Written, Fault> {
    let text = surroundings::read(path)?;
    toml::from_str(&text).map_err(|error| {
        // Not its own words in full: they show the line, and that may hold the key.
        let line = error
            .span()
            .map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        Fault::Usage(format!(
            "{}{line}: {}",
            path.display(),
            error.message().lines().next().unwrap_or_default()
        ))
    })
}

/// A path in the configuration file: `~/` is the home directory, and what is relative begins where the file lies, so
/// that it is the same key from wherever the program is called.
fn beside(file: &Path, path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(path),
    }
}

fn from_file(
    key: Option<String>,
    path: Option<PathBuf>,
    command: Option<String>,
) -> Result<Option<KeySource>, Fault> {
    match (key, path, command) {
        (None, None, None) => Ok(None),
        (Some(key), None, None) => Ok(Some(KeySource::Given(key))),
        (None, Some(path), None) => Ok(Some(KeySource::File(path))),
        (None, None, Some(command)) => Ok(Some(KeySource::Command(command))),
        _ => Err(Fault::Usage(
            "the configuration file has more than one of `key`, `key_file` and `key_command`"
                .to_owned(),
        )),
    }
}

fn fetch(source: KeySource) -> Result<String, Fault> {
    let (text, place) = match source {
        KeySource::Given(key) => (key, "the admin key".to_owned()),
        KeySource::File(path) => (surroundings::read(&path)?, path.display().to_string()),
        KeySource::Command(command) => (output(&command)?, "`key_command`".to_owned()),
    };
    let key = text.lines().next().unwrap_or_default().trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::Usage(format!("{place} is no key: a key is one line of visible ASCII")));
    }
    Ok(key.to_owned())
}

/// What a password manager says. It may ask its user: the terminal is its own.
fn output(command: &str) -> Result<String, Fault> {
    let failed = |how: String| Fault::Failed(format!("`key_command` {how}"));
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed ({})", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| failed("says something that is not text".to_owned()))
}

/// The key goes to this address with every request: over TLS, or not further than this machine.
fn address(text: &str) -> Result<Url, Fault> {
    let wrong = |why: &str| Fault::Usage(format!("the deployment's address {why}"));
    let mut url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("has more than a host and a path"));
    }
    let near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong("has no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if near => {}
        "http" => return Err(wrong("is http: the key would be readable on its way. Use https")),
        _ => return Err(wrong("is neither https nor http")),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn header(line: &str) -> Result<(String, String), Fault> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Fault::Usage("a header is written `Name: value`".to_owned()))?;
    let (name, value) = (name.trim(), value.trim());
    if name.eq_ignore_ascii_case("authorization") {
        return Err(Fault::Usage("the header Authorization is the key's".to_owned()));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;
