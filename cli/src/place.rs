//! Which project and integration are meant.

use serde_json::Value;

use crate::{
    api::{Api, Ask, List},
    fault::Fault,
};

/// An integration, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) project: String,
    pub(crate) id: String,
    /// What it was named by.
    pub(crate) name: String,
}

impl Place {
    /// The path of the integration, and what follows it.
    pub(crate) fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["v1", "projects", &self.project, "integrations", &self.id];
        path.extend(rest);
        path
    }
}

/// The project that was set, or the only one that there is.
pub(crate) async fn project(api: &Api, set: Option<&str>) -> Result<String, Fault> {
    if let Some(project) = set {
        return Ok(project.to_owned());
    }
    match projects(api).await?.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Fault::Failed("there is no project yet".to_owned())),
        several => Err(Fault::Usage(format!(
            "which project? Say --project, or set FLAGPOST_PROJECT: there are {}",
            several.join(", ")
        ))),
    }
}

/// The ids of all projects that the key reaches.
pub(crate) async fn projects(api: &Api) -> Result<Vec<String>, Fault> {
    let list = api.list(Ask::get(["v1", "projects"]), "projects", usize::MAX, None).await?;
    Ok(texts(list.values(), "id"))
}

/// All integrations of a project, as the API lists them.
pub(crate) async fn integrations(api: &Api, project: &str) -> Result<List, Fault> {
    let ask = Ask::get(["v1", "projects", project, "integrations"]);
    api.list(ask, "integrations", usize::MAX, None).await
}

/// The integration with this id or this name.
pub(crate) async fn integration(api: &Api, set: Option<&str>, named: &str) -> Result<Place, Fault> {
    let project = project(api, set).await?;
    // What looks like an id is taken for one, so that a deleted integration can be asked about too.
    if looks_like_an_id(named) {
        return Ok(Place { project, id: named.to_owned(), name: named.to_owned() });
    }
    let all = integrations(api, &project).await?;
    choose(all.values(), &project, named)
}

fn choose<'a>(
    all: impl Iterator<Item = &'a Value> + Clone,
    project: &str,
    named: &str,
) -> Result<Place, Fault> {
    let ids = texts(all.clone(), "id");
    let names = texts(all, "name");
    let pairs = || ids.iter().zip(&names);
    let found =
        pairs().find(|(id, _)| *id == named).or_else(|| pairs().find(|(_, name)| *name == named));
    match found {
        Some((id, name)) => {
            Ok(Place { project: project.to_owned(), id: id.clone(), name: name.clone() })
        }
        None if names.is_empty() => {
            Err(Fault::Failed(format!("the project {project} has no integrations")))
        }
        None => Err(Fault::Failed(format!(
            "the project {project} has no integration `{named}`: there are {}",
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn looks_like_an_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn texts<'a>(items: impl Iterator<Item = &'a Value>, member: &str) -> Vec<String> {
    items
        .map(|item| item.get(member).and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integrations_are_found_by_id_before_name() {
        let all = [json!({"id": "a1", "name": "b2"}), json!({"id": "b2", "name": "Warehouse"})];
        assert_eq!(choose(all.iter(), "shop", "b2").unwrap().name, "Warehouse");
        assert_eq!(choose(all.iter(), "shop", "Warehouse").unwrap().id, "b2");
        let told = choose(all.iter(), "shop", "warehouse").unwrap_err().to_string();
        assert!(told.contains("`Warehouse`"), "{told}");
        assert!(choose([].iter(), "shop", "x").is_err());
    }

    #[test]
    fn ids_are_32_hexadecimal_digits() {
        assert!(looks_like_an_id("01a1fd2a6c807b1c8d2e3f4051627384"));
        for other in
            ["", "01a1", "01A1FD2A6C807B1C8D2E3F4051627384", "zza1fd2a6c807b1c8d2e3f4051627384"]
        {
            assert!(!looks_like_an_id(other), "{other}");
        }
    }
}
