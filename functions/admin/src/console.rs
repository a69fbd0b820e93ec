//! The console: a page, and the few files that it is made of, embedded as they are.
//!
//! They hold no data, and so need no key: the page asks for one and speaks to the API like anybody else.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::{Method, header},
};
use flagpost_adapters::gateway::{header_text, response};
use flagpost_domain::hex::hex;
use sha2::{Digest, Sha256};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Nothing but these files is loaded or run, nothing is embedded or framed, no form is sent anywhere, and no text
/// becomes markup: `connect-src` is the API, beside which the page lies.
const POLICY: &str = include_str!("../console.policy");

/// Path, type, text.
const FILES: [(&str, &str, &str); 25] = [
    ("/console", HTML, include_str!("../console/index.html")),
    ("/console/style.css", CSS, include_str!("../console/style.css")),
    ("/console/api.js", JS, include_str!("../console/api.js")),
    ("/console/app.js", JS, include_str!("../console/app.js")),
    ("/console/attempts.js", JS, include_str!("../console/attempts.js")),
    ("/console/badge.js", JS, include_str!("../console/badge.js")),
    ("/console/deliveries.js", JS, include_str!("../console/deliveries.js")),
    ("/console/dialog.js", JS, include_str!("../console/dialog.js")),
    ("/console/dom.js", JS, include_str!("../console/dom.js")),
    ("/console/editor.js", JS, include_str!("../console/editor.js")),
    ("/console/follow.js", JS, include_str!("../console/follow.js")),
    ("/console/gate.js", JS, include_str!("../console/gate.js")),
    ("/console/hours.js", JS, include_str!("../console/hours.js")),
    ("/console/integration.js", JS, include_str!("../console/integration.js")),
    ("/console/latency.js", JS, include_str!("../console/latency.js")),
    ("/console/order.js", JS, include_str!("../console/order.js")),
    ("/console/overview.js", JS, include_str!("../console/overview.js")),
    ("/console/panel.js", JS, include_str!("../console/panel.js")),
    ("/console/pausing.js", JS, include_str!("../console/pausing.js")),
    ("/console/plot.js", JS, include_str!("../console/plot.js")),
    ("/console/rawjson.js", JS, include_str!("../console/rawjson.js")),
    ("/console/replay.js", JS, include_str!("../console/replay.js")),
    ("/console/trial.js", JS, include_str!("../console/trial.js")),
    ("/console/unsaved.js", JS, include_str!("../console/unsaved.js")),
    ("/console/words.js", JS, include_str!("../console/words.js")),
];

/// The console's answer; `None` where something else is asked for.
pub(crate) fn page(request: &ApiGatewayV2httpRequest) -> Option<ApiGatewayV2httpResponse> {
    if request.request_context.http.method != Method::GET {
        return None;
    }
    let path = request.raw_path.as_deref()?;
    let (_, content_type, text) = FILES.iter().find(|(name, ..)| *name == path)?;
    let tag = tag(text);
    let known = header_text(request, &header::IF_NONE_MATCH);
    let fresh = known
        .is_some_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    // The page itself is where the key is typed: no browser is to keep it for when somebody goes back. Its files hold
    // nothing, and are asked for anew each time.
    let kept = if *content_type == HTML { "no-store" } else { "no-cache" };
    let headers = vec![
        ("cache-control", kept.to_owned()),
        ("content-security-policy", POLICY.trim_end().to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("etag", tag),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    let (status, body) = if fresh { (304, None) } else { (200, Some((*text).to_owned())) };
    Some(response(status, content_type, headers, body))
}

fn tag(text: &str) -> String {
    format!("\"{}\"", hex(&Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use aws_lambda_events::{encodings::Body, http::HeaderValue};

    use super::*;

    fn ask(method: Method, path: &str, tag: Option<&str>) -> Option<ApiGatewayV2httpResponse> {
        let mut request = ApiGatewayV2httpRequest::default();
        request.request_context.http.method = method;
        request.raw_path = Some(path.to_owned());
        if let Some(tag) = tag {
            request.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap());
        }
        page(&request)
    }

    #[test]
    fn every_file_of_the_folder_is_served_and_no_other() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/console");
        let there: BTreeSet<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| match entry.unwrap().file_name().to_str().unwrap() {
                "index.html" => "/console".to_owned(),
                name => format!("/console/{name}"),
            })
            .collect();
        let served: BTreeSet<_> = FILES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        assert_eq!(there, served);
        for path in ["/console/", "/console/index.html", "/console/../main.rs", "/", "/v1/projects"]
        {
            assert!(ask(Method::GET, path, None).is_none(), "{path}");
        }
        assert!(ask(Method::POST, "/console", None).is_none());
    }

    #[test]
    fn the_page_is_locked_down_and_names_its_files() {
        let page = ask(Method::GET, "/console", None).unwrap();
        assert_eq!(
            (page.status_code, &page.headers["content-type"]),
            (200, &HeaderValue::from_static(HTML))
        );
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        ));
        assert!(!policy.contains("unsafe"));
        let Some(Body::Text(text)) = page.body else { panic!("a text") };
        assert!(text.contains("\"console/app.js\"") && text.contains("\"console/style.css\""));
        assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains("onclick"));
    }

    #[test]
    fn no_file_turns_text_into_markup_or_keeps_anything() {
        for (path, _, text) in FILES {
            for never in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "localStorage",
                "sessionStorage",
                "indexedDB",
                "document.cookie",
                "eval(",
                "new Function",
                "DOMParser",
            ] {
                assert!(!text.contains(never), "{path} has {never}");
            }
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let first = ask(Method::GET, "/console/app.js", None).unwrap();
        assert_eq!(first.headers["cache-control"], "no-cache");
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let again = ask(Method::GET, "/console/app.js", Some(&known)).unwrap();
            assert_eq!((again.status_code, again.body), (304, None));
            assert_eq!(again.headers["etag"], tag.as_str());
        }
        let other = ask(Method::GET, "/console/style.css", Some(&tag)).unwrap();
        assert_eq!(other.status_code, 200);
    }
}
