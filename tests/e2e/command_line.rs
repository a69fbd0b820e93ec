//! The command line: what an operator sees and does from a terminal, how it is told where to go, and how it refuses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::Child,
};

use crate::{
    api::bearer,
    command::unconfigured,
    project::{Project, Webhook},
    receiver::{Received, Reply},
    sample,
    stack::{PAUSE_IS_KNOWN, unique},
    wait::let_pass,
};

#[tokio::test]
async fn an_integration_is_seen_paused_resumed_and_tested() {
    let project = Project::new().await;
    let webhook = project.webhook(json!({"name": "Warehouse"})).await;
    let off = project.webhook(json!({"name": "Slack", "enabled": false})).await;
    let table = project.run(&["integrations", "list"]).await.done().out;
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "ID", "PRESET", "STREAM", "URL", "ENABLED"]);
    let listed = |name, id, enabled| vec![name, id, "split", "impressions", enabled];
    let shown: Vec<_> = rows[1..].iter().map(|row| [&row[..4], &row[5..]].concat()).collect();
    assert_eq!(shown[0], listed("Slack", off.id.as_str(), "no"), "{table}");
    assert_eq!(shown[1], listed("Warehouse", webhook.id.as_str(), "yes"), "{table}");
    let list = project.run(&["integrations", "list", "--json"]).await.done().json();
    assert_eq!(list["integrations"][1]["id"], webhook.id.as_str());
    assert_eq!((list["integrations"].as_array().unwrap().len(), &list["next"]), (2, &json!(null)));

    let paused = project.run(&["pause", "Warehouse", "--reason", "it is being moved"]).await.done();
    assert!(paused.out.starts_with("Warehouse: paused, it is being moved for "), "{paused:?}");
    let_pass(PAUSE_IS_KNOWN).await;
    let sent = sample::dozen("typed");
    project.post(&sent).await;
    webhook.until("it is parked", |status| status.counts().waiting() == [0, 12, 0]).await;
    let told = project.run(&["status", "Warehouse"]).await.done().out;
    assert!(told.contains("backlog     1 delivery, 12 events, the oldest for "), "{told}");
    let status = project.run(&["status", "Warehouse", "--json"]).await.done().json();
    assert_eq!(status, webhook.status().await.0);
    let all = project.run(&["status", "--json"]).await.done().json();
    let states: BTreeMap<_, _> = all["integrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["status"]["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("Slack", "disabled"), ("Warehouse", "paused")].into());
    let parked = ["deliveries", "list", "Warehouse", "--state", "parked", "--json"];
    let parked = project.run(&parked).await.done().json();
    let id = parked["deliveries"][0]["id"].as_str().unwrap();
    let shown = project.run(&["deliveries", "show", "Warehouse", id, "--state", "parked"]).await;
    let events: Vec<Value> =
        shown.done().out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(keys(&events), keys(&sent));
    assert_eq!(webhook.receiver.count(), 0);

    let resumed = project.run(&["resume", "Warehouse"]).await.done();
    assert!(resumed.out.starts_with("Warehouse: well\n"), "{resumed:?}");
    webhook.has_delivered_all(&sent).await;

    let before = webhook.status().await.0;
    let tested = project.run(&["test", "Warehouse"]).await.done().out;
    assert!(tested.starts_with(&format!("> POST {}\n", webhook.receiver.url())), "{tested}");
    assert!(tested.contains("\n< 200\n") && tested.contains("delivered in "), "{tested}");
    webhook.receiver.answers(|_| Reply::status(429).with("retry-after", "7"));
    let refused = project.run(&["test", "Warehouse", "--json"]).await;
    assert_eq!((refused.status, refused.json()["answer"]["retry_after"].as_str()), (1, Some("7")));
    assert!(refused.err.contains("it was not delivered: waiting"), "{refused:?}");
    let received = webhook.receiver.received();
    assert_eq!(received.iter().filter(|one| one.id().starts_with("test_")).count(), 2);
    assert_eq!(webhook.status().await.0, before);
}

#[tokio::test]
async fn a_tail_shows_attempts_as_they_are_made() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let name = webhook.id.as_str();
    // The one begins when it has told its headings; the other a while ago.
    let mut people = project.command(&["tail", name, "--every", "1"]).spawn().unwrap();
    let mut headings = lines(people.stderr.take());
    let heading = headings.next_line().await.unwrap().unwrap();
    assert!(heading.starts_with("AT ") && heading.ends_with(" ANSWER"), "{heading}");
    let json = ["tail", name, "--every", "1", "--from", "5m", "--json"];
    let mut machines = project.command(&json).spawn().unwrap();
    let (mut told, mut records) = (lines(people.stdout.take()), lines(machines.stdout.take()));

    project.post(&sample::dozen("tail")).await;
    let (line, record) = both(&project, &mut told, &mut records).await;
    assert_eq!(
        (&record["outcome"], &record["status"], &record["events"]),
        (&json!("delivered"), &json!(200), &json!(12))
    );
    let delivery = record["delivery"].as_str().unwrap();
    assert!(line.contains(delivery) && line.contains("  delivered "), "{line}");
    assert_eq!(delivery, webhook.receiver.received()[0].id());

    webhook.receiver.answers_always(500);
    project.post(&sample::impressions("tail-fails", 1)).await;
    let (line, record) = both(&project, &mut told, &mut records).await;
    assert_eq!((&record["outcome"], &record["then"]), (&json!("failed"), &json!("scheduled")));
    assert!(line.contains("  failed ") && line.contains("  scheduled "), "{line}");

    // Its next attempt is told once, too.
    webhook.receiver.answers_always(200);
    let again = both(&project, &mut told, &mut records).await.1;
    assert_eq!((&again["delivery"], &again["outcome"]), (&record["delivery"], &json!("delivered")));
    assert_ne!(again["id"], record["id"]);

    // Where nobody reads any more, it ends by itself; and by its process id at any time.
    assert!(people.try_wait().unwrap().is_none() && machines.try_wait().unwrap().is_none());
    drop(records);
    project.post(&sample::impressions("tail-unread", 1)).await;
    assert!(ended(&mut machines).await.success());
    people.start_kill().unwrap();
    assert!(!ended(&mut people).await.success());
}

async fn ended(program: &mut Child) -> std::process::ExitStatus {
    program.wait().await.unwrap()
}

fn lines<R: AsyncRead + Unpin>(output: Option<R>) -> Lines<BufReader<R>> {
    BufReader::new(output.unwrap()).lines()
}

/// The next line of both, and the record that one of them is.
async fn both<A: AsyncRead + Unpin, B: AsyncRead + Unpin>(
    project: &Project,
    told: &mut Lines<BufReader<A>>,
    records: &mut Lines<BufReader<B>>,
) -> (String, Value) {
    let line = told.next_line().await.unwrap().unwrap();
    let record = records.next_line().await.unwrap().unwrap();
    let key = &project.stack.admin_key;
    assert!(!line.contains(key) && !record.contains(key), "the key is shown: {line}, {record}");
    (line, serde_json::from_str(&record).unwrap())
}

/// It answers, so that its breaker stays closed, and takes nothing until it is mended.
#[tokio::test]
async fn what_is_dead_is_replayed_by_a_command_that_shows_how_far_it_is() {
    let settings = json!({"name": "Warehouse", "success": "200", "max_events": 1});
    let (project, webhook) = Project::with_webhook(settings).await;
    webhook.receiver.answers_always(202);
    let sent = sample::dozen("dead");
    project.post(&sent).await;
    webhook.until("all is dead", |status| status.counts().waiting() == [0, 0, 12]).await;

    let told = project.run(&["status", "Warehouse"]).await.done().out;
    assert!(told.contains(" + dead 12 + ") && told.contains("balances; filtered 0"), "{told}");
    let dead = project.run(&["deliveries", "list", "Warehouse", "--json"]).await.done().json();
    let dead = dead["deliveries"].as_array().unwrap().clone();
    assert_eq!(dead.len(), 12);
    let attempts = ["attempts", "Warehouse", "--outcome", "failed", "-n", "200", "--json"];
    let attempts = project.run(&attempts).await.done().json();
    let tried: BTreeSet<_> = attempts["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["then"] == "dead" && one["status"] == 202)
        .map(|one| one["delivery"].as_str().unwrap())
        .collect();
    assert_eq!(tried, dead.iter().map(|one| one["delivery"].as_str().unwrap()).collect());

    let before = webhook.receiver.count();
    webhook.receiver.answers_always(200);
    let dry_run = project.run(&["replay", "Warehouse", "--dry-run"]).await.done();
    assert_eq!(dry_run.out, "it would replay 12 deliveries with 12 events\n");
    let id = dead[0]["id"].as_str().unwrap();
    let one = project.run(&["replay", "Warehouse", id, "--json"]).await.done().json();
    assert_eq!(one, swept(1, false, &Value::Null));
    let dry_run = project.run(&["replay", "Warehouse", "--dry-run", "--json"]).await.done().json();
    assert!(dry_run["to"].is_i64());
    assert_eq!(dry_run, swept(11, true, &dry_run["to"]));

    let shown = project.run_at_a_terminal(&["replay", "Warehouse", "--wait"]).await.done().out;
    assert!(shown.contains("draining [") && shown.contains(" deliveries, "), "{shown:?}");
    assert!(shown.contains("replayed 11 deliveries with 11 events\r\n"), "{shown:?}");
    assert!(shown.ends_with("nothing is parked any more; nothing waits\r\n"), "{shown:?}");
    assert_eq!(events(&webhook, before), keys(&sent), "each once");
    webhook.has_settled(12).await;
    let again = project.run(&["replay", "Warehouse", "--wait", "--json"]).await.done();
    let json = again.json();
    assert_eq!(json, swept(0, false, &json["to"]));
    assert_eq!(again.err, "nothing is parked any more; nothing waits\n");
}

fn swept(deliveries: usize, dry_run: bool, to: &Value) -> Value {
    json!({
        "deliveries": deliveries, "events": deliveries, "skipped": 0, "done": true, "dry_run": dry_run, "to": to,
    })
}

/// The keys of all events that came after the first so many requests.
fn events(webhook: &Webhook, before: usize) -> Vec<String> {
    let received = webhook.receiver.received();
    keys(&received[before..].iter().flat_map(Received::events).collect::<Vec<_>>())
}

fn keys(events: &[Value]) -> Vec<String> {
    let mut keys: Vec<_> = events.iter().map(|event| event["key"].to_string()).collect();
    keys.sort();
    keys
}

/// A directory of this test's own.
fn directory() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("command-line"));
    fs::create_dir_all(path.join("flagpost")).unwrap();
    path
}

#[tokio::test]
async fn settings_come_from_flags_the_environment_or_a_file_in_this_order() {
    let (project, webhook) = Project::with_webhook(json!({"name": "Warehouse"})).await;
    let home = directory();
    let key_file = home.join("key");
    fs::write(&key_file, format!("{}\n", project.stack.admin_key)).unwrap();
    let file = home.join("flagpost").join("config.toml");
    let written = |project_id: &str, key: &str| {
        let (url, host) = (&project.stack.endpoint, project.host_header());
        let text =
            format!("url = {url:?}\nproject = {project_id:?}\nheaders = [{host:?}]\nkey_{key}\n");
        fs::write(&file, text).unwrap();
    };
    let sees_it = async |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = unconfigured(&["integrations", "list", "--json"]);
        command.args(arguments).envs(environment.iter().copied());
        let ran = project.ran(command).await;
        assert_eq!(
            ran.done().json()["integrations"][0]["id"],
            webhook.id.as_str(),
            "{arguments:?}, {environment:?}"
        );
    };
    let (home_text, file_text) = (home.to_str().unwrap(), file.to_str().unwrap());
    let key_text = key_file.to_str().unwrap();
    written(&project.id, &format!("file = {key_text:?}"));
    sees_it(&["--config", file_text], &[]).await;
    sees_it(&[], &[("FLAGPOST_CONFIG", file_text)]).await;
    sees_it(&[], &[("XDG_CONFIG_HOME", home_text)]).await;
    written("another", &format!("command = \"cat '{key_text}'\""));
    let found = ("XDG_CONFIG_HOME", home_text);
    sees_it(&[], &[found, ("FLAGPOST_PROJECT", &project.id)]).await;
    sees_it(&["-p", &project.id], &[found, ("FLAGPOST_PROJECT", "a-third")]).await;
    let wrong = ("FLAGPOST_ADMIN_KEY", "wrong-0123456789");
    sees_it(&["-p", &project.id, "--key-file", key_text], &[found, wrong]).await;
    let mut refused = unconfigured(&["integrations", "list", "-p", &project.id]);
    refused.envs([found, wrong]);
    assert_eq!(project.ran(refused).await.status, 1, "the environment comes before the file");
    fs::remove_dir_all(home).unwrap();
}

#[tokio::test]
async fn what_cannot_be_done_is_told() {
    let (project, _webhook) = Project::with_webhook(json!({"name": "Warehouse"})).await;
    let other = Project::new().await;
    let wrong = "wrong-key-0123456789";
    let with_key = async |key: &str, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("FLAGPOST_ADMIN_KEY", key);
        let ran = project.ran(command).await;
        assert!(!ran.out.contains(key) && !ran.err.contains(key), "{ran:?}");
        ran
    };
    let refused = with_key(wrong, &["status"]).await;
    assert_eq!((refused.status, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("(401)") && refused.err.contains("The key comes from"));
    let refused = with_key(wrong, &["status", "--json"]).await;
    let problem: Value = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(problem["type"], "urn:flagpost:problem:unauthorized");

    let authorization = bearer(&project.stack.admin_key);
    let headers = [("authorization", authorization.as_str())];
    let body = json!({"name": "another team's", "project": other.id}).to_string();
    let made = project.api.call("POST", "/v1/admin-keys", &headers, body).await.expect(201);
    let refused = with_key(&made.text("key"), &["status", "Warehouse"]).await;
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("urn:flagpost:problem:forbidden"), "{refused:?}");

    let told = format!(
        "flagpost: the project {} has no integration `warehouse`: there are `Warehouse`\n",
        project.id
    );
    for command in ["status", "tail", "test", "pause", "resume", "replay"] {
        let unknown = project.run(&[command, "warehouse"]).await;
        assert_eq!((unknown.status, unknown.err.as_str()), (1, told.as_str()), "{command}");
    }
    let unknown = project.run(&["pause", "01a1fd2a6c807b1c8d2e3f4051627384"]).await;
    assert_eq!(unknown.status, 1);
    assert!(unknown.err.contains("(404)"), "{unknown:?}");
    let mut nothing = unconfigured(&["status", "Warehouse"]);
    nothing.env("FLAGPOST_URL", &project.stack.endpoint);
    let nothing = project.ran(nothing).await;
    assert_eq!(nothing.status, 2);
    assert!(nothing.err.contains("the admin key is not set"), "{nothing:?}");
}
