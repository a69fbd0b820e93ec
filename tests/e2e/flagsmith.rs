//! A Flagsmith server's own webhook, sent to Flagpost in the place of its customer's endpoint.

use serde_json::{Value, json};

use crate::{
    project::Project,
    python,
    receiver::Received,
    sample::{ENVIRONMENT, ENVIRONMENT_NAME},
};

const IDENTITY: &str = include_str!("../fixtures/flagsmith-identity.json");
const SECRET: &str = "my shared sécret";

#[tokio::test]
async fn what_it_signed_goes_on_byte_for_byte_and_nothing_else_does() {
    let (project, webhook) = Project::with_webhook(json!({"preset": "flagsmith"})).await;
    let environment = json!({"id": ENVIRONMENT, "name": ENVIRONMENT_NAME});
    let key = json!({"name": "signed", "environment": environment, "secret": SECRET});
    let under = format!("/{}/keys", project.id);
    let key = project.admin("POST", &under, Some(key)).await.expect(201).text("key");
    let mut identity: Value = serde_json::from_str(IDENTITY).unwrap();
    let first = identity.clone();
    identity["identity"] = "ünder 🦊".into();
    let given = json!({"secret": SECRET, "values": [first, identity]});
    let sent = python::run("flagsmith_server.py", &given).await;
    let sent: Vec<_> =
        sent.as_array().unwrap().iter().map(|one| (&one["body"], &one["signature"])).collect();

    let post = async |path: &str, name: &str, value: &str, body: Vec<u8>| {
        let headers = [("content-type", "application/json"), (name, value)];
        project.api.call("POST", path, &headers, body).await
    };
    let signed = "x-flagsmith-signature";
    let in_query = format!("/v1/identities/?environment_key={key}");
    for (body, signature) in &sent {
        let [body, signature] = [body, signature].map(|text| text.as_str().unwrap());
        for place in [0, body.len() / 2, body.len() - 1] {
            let mut changed = body.as_bytes().to_vec();
            changed[place] ^= 1;
            post(&in_query, signed, signature, changed).await.expect(401);
        }
        for place in [0, signature.len() - 1] {
            let mut changed = signature.as_bytes().to_vec();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = std::str::from_utf8(&changed).unwrap();
            post(&in_query, signed, changed, body.into()).await.expect(401);
        }
        post(&in_query, "accept", "*/*", body.into()).await.expect(401);
        let answer = post(&in_query, signed, signature, body.into()).await.expect(202);
        assert_eq!(answer.body, json!({"accepted": 1}));
    }
    webhook.has_settled(sent.len()).await;
    let taken = webhook.receiver.received();
    let mut taken: Vec<_> = taken.iter().map(Received::text).collect();
    let mut wanted: Vec<_> = sent.iter().map(|(body, _)| body.as_str().unwrap()).collect();
    taken.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(taken, wanted);
}
