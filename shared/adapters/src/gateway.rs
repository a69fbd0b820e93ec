//! API Gateway's requests and responses, payload format 2.0.
//!
//! Source: AWS, "Working with AWS Lambda proxy integrations for HTTP APIs". Header names come in
//! lower case; a body that is not text comes in base64.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
    http::{HeaderName, HeaderValue, Method, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use flagpost_domain::problem::{self, Kind, Problem};

/// The body's bytes; none when there is no body.
///
/// # Errors
/// A [`Problem`] when it says base64 and is not.
pub fn body(request: &mut ApiGatewayV2httpRequest) -> Result<Vec<u8>, Problem> {
    let body = request.body.take().unwrap_or_default();
    if !request.is_base64_encoded {
        return Ok(body.into());
    }
    BASE64_STANDARD
        .decode(body)
        .map_err(|_| Problem::new(Kind::InvalidJson, "the body came in broken base64"))
}

/// The size of the body in bytes, by its text, without decoding it.
pub fn body_size(request: &ApiGatewayV2httpRequest) -> usize {
    let text = request.body.as_deref().unwrap_or_default();
    if request.is_base64_encoded { text.trim_end_matches('=').len() * 3 / 4 } else { text.len() }
}

/// A header's value; `None` when it is absent or not text.
pub fn header_text(request: &ApiGatewayV2httpRequest, name: &HeaderName) -> Option<String> {
    request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A JSON response, or one without a body.
pub fn json(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
) -> ApiGatewayV2httpResponse {
    response(status, "application/json", headers, body)
}

/// A problem's response.
pub fn refusal(problem: Problem) -> ApiGatewayV2httpResponse {
    let (status, body) = (problem.status(), problem.body());
    response(status, problem::MEDIA_TYPE, problem.headers, Some(body))
}

/// Sends a browser that asked for `/console/` on to `/console`; `None` for every other request.
///
/// No route of an HTTP API can end with a slash, and which other route such a path falls to is written nowhere. So
/// every function that may be asked for it answers with this. The place is relative: what a custom domain puts before
/// the path stays.
pub fn to_console(request: &ApiGatewayV2httpRequest) -> Option<ApiGatewayV2httpResponse> {
    let asked = request.request_context.http.method == Method::GET
        && request.raw_path.as_deref() == Some("/console/");
    asked.then(|| json(308, vec![("location", "../console".to_owned())], None))
}

/// Any response with this content type; none is named where there is no body.
pub fn response(
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status.into();
    // Keys and webhooks' URLs are not for any cache.
    response.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if body.is_some() {
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers.insert(HeaderName::from_static(name), value);
        }
    }
    response.body = body.map(Body::Text);
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(text: Option<&str>, is_base64: bool) -> ApiGatewayV2httpRequest {
        let mut request = ApiGatewayV2httpRequest::default();
        request.body = text.map(str::to_owned);
        request.is_base64_encoded = is_base64;
        request
    }

    #[test]
    fn bodies_are_decoded_when_they_come_in_base64() {
        let body = |text, is_base64| body(&mut request(text, is_base64));
        assert_eq!(body(None, false).unwrap(), b"");
        assert_eq!(body(None, true).unwrap(), b"");
        assert_eq!(body(Some("{}"), false).unwrap(), b"{}");
        assert_eq!(body(Some("e30="), true).unwrap(), b"{}");
        assert_eq!(body(Some("{}"), true).unwrap_err().kind, Kind::InvalidJson);
    }

    #[test]
    fn the_console_is_found_with_a_slash_too() {
        let ask = |method, path: &str| {
            let mut request = request(None, false);
            request.request_context.http.method = method;
            request.raw_path = Some(path.to_owned());
            to_console(&request)
        };
        let sent_on = ask(Method::GET, "/console/").unwrap();
        assert_eq!((sent_on.status_code, sent_on.body), (308, None));
        assert_eq!(sent_on.headers["location"], "../console");
        for path in ["/console", "/console/app.js", "/console//", "/v1/events/", ""] {
            assert!(ask(Method::GET, path).is_none(), "{path}");
        }
        assert!(ask(Method::POST, "/console/").is_none());
    }

    #[test]
    fn sizes_are_those_of_the_decoded_bodies() {
        for length in 0..10 {
            let bytes = vec![7u8; length];
            let text = BASE64_STANDARD.encode(&bytes);
            assert_eq!(body_size(&request(Some(&text), true)), length);
        }
        assert_eq!(body_size(&request(Some("{}"), false)), 2);
        assert_eq!(body_size(&request(None, false)), 0);
    }

    #[test]
    fn headers_that_are_not_text_are_as_good_as_none() {
        let mut request = request(None, false);
        assert_eq!(header_text(&request, &header::IF_MATCH), None);
        request.headers.insert("If-Match", HeaderValue::from_static("\"1\""));
        assert_eq!(header_text(&request, &header::IF_MATCH).as_deref(), Some("\"1\""));
        request.headers.insert("If-Match", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(header_text(&request, &header::IF_MATCH), None);
    }

    #[test]
    fn a_json_response_has_its_headers() {
        let headers = vec![("etag", "\"1\"".to_owned())];
        let response = serde_json::to_value(super::json(201, headers, Some("{}".into()))).unwrap();
        assert_eq!((&response["statusCode"], &response["body"]), (&json!(201), &json!("{}")));
        assert_eq!(
            response["headers"],
            json!({
                "cache-control": "no-store",
                "content-type": "application/json",
                "etag": "\"1\"",
            })
        );
        assert_eq!(response["isBase64Encoded"], false);
        let empty = super::json(204, vec![], None);
        assert!(empty.body.is_none() && !empty.headers.contains_key(header::CONTENT_TYPE));
    }

    #[test]
    fn a_refusal_is_a_problem_with_its_headers() {
        let response = refusal(Problem::unauthorized("no key"));
        assert_eq!(response.status_code, 401);
        assert_eq!(response.headers["content-type"], "application/problem+json");
        assert_eq!(response.headers["www-authenticate"], "Bearer");
        let Some(Body::Text(body)) = response.body else { panic!("a text") };
        assert!(body.contains("urn:flagpost:problem:unauthorized"));
    }
}
