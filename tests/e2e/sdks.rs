//! The vendors' own SDKs, as they are: told nothing but where to send, and every event of theirs is found at the endpoint of a
//! webhook of their vendor's preset, once, as the vendor's own webhook has it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    front::{CHANGE, Front, RULE, flags},
    project::Project,
    python,
    sample::{ENVIRONMENT, ENVIRONMENT_NAME},
    stack::now,
};

/// Fields of an event that Amplitude exports; Amplitude, "Export API".
const EXPORTED: &str = "server_received_time,app,device_carrier,$schema,city,user_id,uuid,event_time,platform,os_version,\
    amplitude_id,processed_time,user_creation_time,version_name,ip_address,paying,dma,group_properties,user_properties,\
    client_upload_time,$insert_id,event_type,library,amplitude_attribution_ids,device_type,device_manufacturer,\
    start_version,location_lng,server_upload_time,event_id,location_lat,os_name,amplitude_event_type,device_brand,groups,\
    event_properties,data,device_id,language,device_model,country,region,is_attribution_event,adid,session_id,\
    device_family,sample_rate,idfa,idfv,client_event_time";

#[tokio::test]
async fn everything_that_splits_sdk_sends_is_delivered_once() {
    const EACH: usize = 150;
    let project = Project::new().await;
    let impressions = project.webhook(json!({"preset": "split"})).await;
    let tracked = project
        .webhook(json!({"preset": "standard", "stream": "events", "origins": ["split"]}))
        .await;
    let front = Front::start(&project.stack).await;
    let users = users(2 * EACH);
    let began = now();
    let given = json!({
        "key": project.key, "flags": flags(json!({})).await, "events": front.url("/api"),
        "rounds": users.chunks(EACH).collect::<Vec<_>>(),
    });
    let treatments = python::run("split.py", &given).await;
    for upload in ["/testImpressions/bulk", "/events/bulk"] {
        assert_eq!(front.uploads(upload).len(), 2, "{:?}", front.uploads(upload));
    }
    impressions.has_settled(users.len()).await;
    tracked.has_settled(users.len()).await;

    let taken = impressions.receiver.accepted();
    assert_eq!(texts_of(&taken, "/key"), users.iter().cloned().collect());
    assert_eq!(taken.len(), users.len(), "each once");
    println!(
        "impressions: sent {}, delivered {}",
        treatments.as_object().unwrap().len(),
        taken.len()
    );
    let both: BTreeSet<_> = texts_of(&taken, "/treatment");
    assert_eq!(both, ["off".to_owned(), "on".to_owned()].into());
    for impression in &taken {
        let time = impression["time"].as_i64().unwrap();
        assert!((began.0..=now().0).contains(&time), "{impression}");
        let mut wanted = json!({
            "key": impression["key"], "split": "checkout_flow", "environmentId": ENVIRONMENT,
            "environmentName": ENVIRONMENT_NAME, "treatment": treatments[impression["key"].as_str().unwrap()],
            "time": time, "bucketingKey": impression["key"], "label": "default rule",
            "splitVersionNumber": CHANGE, "sdk": "python", "sdkVersion": "10.7.0",
        });
        for own in ["machineName", "machineIp"] {
            assert!(impression[own].is_string(), "{impression}");
            wanted[own] = impression[own].clone();
        }
        assert_eq!(*impression, wanted);
    }
    let taken = tracked.receiver.accepted();
    assert_eq!(texts_of(&taken, "/key"), users.iter().cloned().collect());
    assert_eq!(taken.len(), users.len(), "each once");
    println!("events: sent {}, delivered {}", users.len(), taken.len());
    assert!(taken.iter().all(|event| event["eventTypeId"] == "checkout.completed"));
}

#[tokio::test]
async fn everything_that_statsigs_sdk_sends_is_delivered_once() {
    statsig(json!({}), true).await;
}

/// Statsig's servers can tell its SDKs not to compress.
#[tokio::test]
async fn and_so_it_is_without_compression() {
    statsig(json!({"stop_log_event_compression": true}), false).await;
}

async fn statsig(sdk_flags: Value, gzipped: bool) {
    const USERS: usize = 120;
    let (project, webhook) = Project::with_webhook(json!({"preset": "statsig"})).await;
    let front = Front::start(&project.stack).await;
    let users = users(USERS);
    let flags = flags(sdk_flags).await;
    let given = json!({
        "key": format!("secret-{}", project.key), "flags": format!("{flags}/v1/"),
        "events": front.url("/v1/"), "users": users, "flush": USERS / 3,
    });
    let passed = python::run("statsig_server.py", &given).await;
    let uploads = front.uploads("/v1/log_event");
    assert!(uploads.len() >= 3 && uploads.iter().all(|one| one.gzipped == gzipped), "{uploads:?}");
    // What it sends about itself is no event of the customer's.
    webhook.has_settled(2 * USERS).await;

    let taken = webhook.receiver.accepted();
    let (views, exposures): (Vec<Value>, Vec<Value>) =
        taken.iter().cloned().partition(|event| event["eventName"] == "page_view");
    assert_eq!((views.len(), exposures.len()), (USERS, USERS), "each once");
    println!("in {} uploads: sent {}, delivered {}", uploads.len(), 2 * USERS, taken.len());
    assert_eq!(texts_of(&taken, "/timeUUID").len(), 2 * USERS);
    for events in [&views, &exposures] {
        assert_eq!(texts_of(events, "/userID"), users.iter().cloned().collect());
    }
    for (event, exposure) in
        views.iter().map(|view| (view, false)).chain(exposures.iter().map(|one| (one, true)))
    {
        let user = event["userID"].as_str().unwrap();
        assert_eq!(
            (&event["user"]["userID"], &event["user"]["country"]),
            (&json!(user), &json!("US"))
        );
        assert!(event["timestamp"].is_i64() && event["statsigMetadata"].is_object(), "{event}");
        let fields = event.as_object().unwrap();
        for field in [
            "eventName",
            "user",
            "userID",
            "timestamp",
            "value",
            "metadata",
            "statsigMetadata",
            "timeUUID",
        ] {
            assert!(fields.contains_key(field), "no {field} in {event}");
        }
        if exposure {
            let details = &event["statsigMetadata"];
            assert_eq!(event["eventName"], "statsig::gate_exposure");
            assert_eq!(
                (&details["gate"], &details["gateValue"]),
                (&json!("test_gate"), &passed[user])
            );
            assert!(passed[user] == false || details["ruleID"] == RULE, "{event}");
        } else {
            let number = users.iter().position(|one| one == user).unwrap();
            assert_eq!(
                (&event["value"], &event["metadata"]),
                (&json!(number.to_string()), &json!({"page": "home_page"}))
            );
        }
    }
    let values: BTreeSet<_> = passed.as_object().unwrap().values().map(Value::to_string).collect();
    assert_eq!(values.len(), 2, "some users pass the gate, and some do not");
}

#[tokio::test]
async fn everything_that_amplitudes_sdk_sends_is_delivered_once() {
    const USERS: usize = 500;
    let project = Project::new().await;
    let arrays = project.webhook(json!({"preset": "amplitude", "payload": "array"})).await;
    let each = project
        .webhook(json!({"preset": "amplitude", "filter": {"event_properties": {"n": [{"numeric": ["<", 60]}]}}}))
        .await;
    let front = Front::start(&project.stack).await;
    let users = users(USERS);
    let given = json!({"key": project.key, "events": front.url("/2/httpapi"), "users": users});
    let sent = python::run("amplitude_client.py", &given).await;
    let sent: BTreeSet<_> =
        sent.as_object().unwrap().values().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!(sent.len(), USERS, "the SDK was told that each was taken");
    assert!(front.uploads("/2/httpapi").len() >= 3, "{:?}", front.uploads("/2/httpapi"));
    arrays.has_settled(USERS).await;
    each.has_settled(60).await;

    let taken = arrays.receiver.accepted();
    println!("sent {}, delivered {}", sent.len(), taken.len());
    assert_eq!((taken.len(), texts_of(&taken, "/$insert_id")), (USERS, sent));
    assert_eq!(texts_of(&taken, "/user_id"), users.iter().cloned().collect());
    let fields: BTreeSet<_> = EXPORTED.split(',').collect();
    for event in &taken {
        let named: BTreeSet<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(named, fields);
        let user = event["user_id"].as_str().unwrap();
        let number = users.iter().position(|one| one == user).unwrap();
        assert_eq!(event["event_properties"], json!({"n": number}));
        assert_eq!(event["user_properties"], json!({"email": format!("{user}@example.com")}));
        for (field, value) in [
            ("event_type", "Button Clicked"),
            ("device_id", "device-1"),
            ("version_name", "1.2.3"),
            ("ip_address", "192.0.2.7"),
            ("library", "amplitude-python/1.3.0"),
            ("app", &project.id),
        ] {
            assert_eq!(event[field], value, "{field} of {event}");
        }
        let time = event["event_time"].as_str().unwrap();
        assert!(time.len() == 23 && &time[10..11] == " " && &time[19..20] == ".", "{time}");
    }
    let requests = each.receiver.received();
    assert_eq!(requests.len(), 60, "one in each request");
    assert!(requests.iter().all(|one| one.header("user-agent") == "Amplitude/Webhook/1.0"));
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("user-{n:05}")).collect()
}

/// The texts at this place in all of the events.
fn texts_of(events: &[Value], pointer: &str) -> BTreeSet<String> {
    events
        .iter()
        .map(|event| event.pointer(pointer).unwrap().as_str().unwrap().to_owned())
        .collect()
}
