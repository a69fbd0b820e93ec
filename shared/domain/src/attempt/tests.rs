use super::*;
use crate::{
    delivery::Provenance,
    integration::Own,
    memory::{Reply, START, World, delivery, integration},
    preset::{ImmediateRetry, Preset},
    secret::Secret,
};

fn amplitude() -> Integration {
    Integration { preset: Preset::Amplitude, ..integration("i") }
}

async fn tried(world: &World, integration: &Integration, delivery: &Delivery) -> Attempted {
    let compiled = Compiled::new(integration).unwrap();
    attempt(&world, &Allowed::default(), integration, &compiled, delivery, None).await
}

fn ids(world: &World) -> Vec<String> {
    world.state().got.iter().map(|got| got.id.clone()).collect()
}

/// Failed requests' events, and the events that were not tried.
fn left(attempted: &Attempted) -> (Vec<Vec<usize>>, Vec<usize>) {
    let failed = attempted.failed.iter().map(|(positions, _)| positions.clone());
    (failed.collect(), attempted.untried.clone())
}

fn is_ill(attempted: &Attempted, delivery: &Delivery) -> Option<bool> {
    attempted.observation(delivery).map(|observation| observation.ill)
}

#[tokio::test]
async fn time_that_we_take_is_not_the_endpoints() {
    let world = World::new();
    world.state().looked_at_late_by = Duration::from_secs(9);
    let attempted = tried(&world, &integration("i"), &delivery("d", 1)).await;
    assert_eq!(attempted.outcome, Outcome::Delivered);
    assert_eq!(attempted.latency, Duration::from_millis(20));
}

#[tokio::test]
async fn an_object_a_request_each_with_its_own_id() {
    let world = World::new();
    let attempted = tried(&world, &amplitude(), &delivery("d", 3)).await;
    assert_eq!((attempted.left(), attempted.outcome), (0, Outcome::Delivered));
    assert_eq!(ids(&world), ["d.1", "d.2", "d.3"]);
    let bodies: Vec<_> = world.state().got.iter().map(|got| got.events.clone()).collect();
    assert_eq!(bodies, [[r#"{"n":0}"#], [r#"{"n":1}"#], [r#"{"n":2}"#]]);
}

#[tokio::test]
async fn what_fails_alone_is_left_alone_and_is_not_ill_health() {
    let world = World::new();
    world.reply("i", Reply::PoisonEvent(400, "{\"n\":1}".into()));
    let whole = delivery("d", 4);
    let attempted = tried(&world, &amplitude(), &whole).await;
    assert_eq!(left(&attempted), (vec![vec![1]], vec![]));
    assert!(matches!(attempted.outcome, Outcome::Failed(_)));
    assert_eq!(is_ill(&attempted, &whole), Some(false), "the endpoint took the others");
    assert_eq!(ids(&world), ["d.1", "d.2", "d.3", "d.4"], "400 is not tried again at once");
    let rest = whole.part_of(&[1]);
    let again = tried(&world, &amplitude(), &rest).await;
    assert!(again.is_whole(&rest) && again.left() == 1);
    assert_eq!(ids(&world)[4..], ["d.2"], "under the id that it had");
    assert_eq!(is_ill(&again, &rest), Some(true));
}

#[tokio::test]
async fn an_endpoint_that_fails_in_a_row_is_left_alone() {
    let world = World::new();
    world.reply("i", Reply::Status(400));
    let whole = delivery("d", 8);
    let attempted = tried(&world, &amplitude(), &whole).await;
    assert_eq!(ids(&world), ["d.1", "d.2", "d.3", "d.4", "d.5"]);
    assert_eq!(left(&attempted), ((0..5).map(|n| vec![n]).collect(), vec![5, 6, 7]));
    assert!(attempted.given_up && is_ill(&attempted, &whole) == Some(true));
    tried(&world, &amplitude(), &whole.part_of(&attempted.untried)).await;
    assert_eq!(ids(&world)[5..], ["d.6", "d.7", "d.8"]);
}

#[tokio::test]
async fn who_is_slow_is_left_in_the_middle_and_nothing_has_failed() {
    let world = World::new();
    world.reply("i", Reply::Slow(200, 1_980));
    let whole = delivery("d", 6);
    let attempted = tried(&world, &amplitude(), &whole).await;
    assert_eq!(left(&attempted), (vec![], vec![3, 4, 5]));
    assert!(attempted.outcome == Outcome::Unfinished && !attempted.given_up);
    assert_eq!(is_ill(&attempted, &whole), Some(false));
}

#[tokio::test]
async fn a_wish_or_a_hang_ends_the_attempt() {
    for (reply, sent) in
        [(Reply::RetryAfter(429, 60), 1), (Reply::Status(410), 1), (Reply::Hang, 1)]
    {
        let world = World::new();
        world.state().script.push_back(Reply::Status(200));
        world.reply("i", reply);
        let attempted = tried(&world, &amplitude(), &delivery("d", 5)).await;
        assert_eq!(world.state().got.len(), 1 + sent);
        assert_eq!(left(&attempted), (vec![vec![1]], vec![2, 3, 4]));
        assert!(!matches!(attempted.outcome, Outcome::Delivered | Outcome::Unfinished));
    }
}

#[tokio::test]
async fn too_large_is_one_events_fault_among_others_and_the_deliverys_alone() {
    let world = World::new();
    world.reply("i", Reply::PoisonEvent(413, "{\"n\":0}".into()));
    let attempted = tried(&world, &amplitude(), &delivery("d", 2)).await;
    assert_eq!(left(&attempted), (vec![vec![0]], vec![]));
    let Outcome::Failed(failure) = &attempted.outcome else { panic!("{attempted:?}") };
    assert!(!failure.ill);
    let array = Integration { preset: Preset::Standard, ..integration("i") };
    let attempted = tried(&world, &array, &delivery("d", 2)).await;
    assert_eq!(left(&attempted), (vec![vec![0, 1]], vec![]));
    assert_eq!(attempted.outcome, Outcome::TooLarge);
}

#[tokio::test]
async fn backoff_makes_three_requests_for_503_and_one_for_400() {
    for (status, requests) in [(503, 3), (429, 3), (500, 3), (400, 1), (404, 1)] {
        let world = World::new();
        world.reply("i", Reply::Status(status));
        tried(&world, &amplitude(), &delivery("d", 1)).await;
        let got = world.state().got.clone();
        assert_eq!(got.len(), requests, "{status}");
        assert!(got.iter().all(|got| got.id == "d.1"));
    }
    let own = Own { immediate_retry: Some(ImmediateRetry::None), ..Own::default() };
    let world = World::new();
    world.reply("i", Reply::Status(503));
    tried(&world, &Integration { own, ..amplitude() }, &delivery("d", 1)).await;
    assert_eq!(world.state().got.len(), 1);
}

#[tokio::test]
async fn an_event_that_no_payload_can_be_made_of_fails_alone() {
    let world = World::new();
    let own = Own { template: Some("{\"it\": \"${input.name}\"}".into()), ..Own::default() };
    let mut whole = delivery("d", 3);
    for n in [0, 2] {
        whole.events[n] = Event::from_object(format!("{{\"name\":\"e{n}\"}}"));
    }
    for preset in [Preset::Amplitude, Preset::Standard] {
        let integration = Integration { preset, own: own.clone(), ..integration("i") };
        let attempted = tried(&world, &integration, &whole).await;
        assert_eq!(left(&attempted), (vec![vec![1]], vec![]));
        let Outcome::Failed(failure) = &attempted.outcome else { panic!("{attempted:?}") };
        assert!(failure.reason.starts_with("template: "), "{}", failure.reason);
        assert_eq!(is_ill(&attempted, &whole), Some(false));
        // Alone, it says nothing about the endpoint.
        let rest = whole.part_of(&[1]);
        assert_eq!(is_ill(&tried(&world, &integration, &rest).await, &rest), None);
    }
    let bodies: Vec<_> = world.state().got.iter().map(|got| got.events.join(" ")).collect();
    let (a, b) = (r#"{"it": "e0"}"#, r#"{"it": "e2"}"#);
    assert_eq!(bodies, [a, b, &format!("{a} {b}")]);
}

#[tokio::test]
async fn a_request_has_the_presets_headers_the_customers_and_a_signature() {
    let secret = |text: &str| Secret::new(text);
    let headers =
        [("X-Key".to_owned(), secret("hunter2")), ("user-agent".to_owned(), secret("Me"))];
    let own = Own { headers: headers.into(), secret: Some(secret("hunter22")), ..Own::default() };
    let world = World::new();
    for preset in [Preset::Flagsmith, Preset::Amplitude] {
        let own = if preset == Preset::Flagsmith { own.clone() } else { Own::default() };
        tried(&world, &Integration { preset, own, ..integration("i") }, &delivery("d", 1)).await;
    }
    let got = world.state().got.clone();
    let names =
        |n: usize| got[n].headers.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        names(0),
        [
            "content-type",
            "X-Key",
            "user-agent",
            "webhook-id",
            "webhook-timestamp",
            "x-flagsmith-signature"
        ]
    );
    assert_eq!(got[0].headers.get("User-Agent"), Some("Me"));
    assert_eq!(got[0].headers.get("webhook-timestamp"), Some(&*START.seconds().to_string()));
    assert_eq!(names(1), ["content-type", "user-agent", "webhook-id", "webhook-timestamp"]);
    assert_eq!(got[1].headers.get("user-agent"), Some("Amplitude/Webhook/1.0"));
    assert!(!format!("{:?}", got[0].headers).contains("hunter2"));
}

#[tokio::test]
async fn what_a_template_makes_is_cut_into_requests_of_max_bytes() {
    let world = World::new();
    let template = r#"{"n":${input.n},"text":"<#list 1..100 as i>0123456789</#list>"}"#;
    let own = Own { template: Some(template.to_owned()), ..Own::default() };
    let integration =
        Integration { preset: Preset::Standard, own, max_bytes: 4_096, ..integration("i") };
    let whole = delivery("d", 10);
    let attempted = tried(&world, &integration, &whole).await;
    assert_eq!(attempted.outcome, Outcome::Delivered);
    let got = world.state().got.clone();
    assert_eq!(got.iter().map(|got| got.events.len()).collect::<Vec<_>>(), [4, 4, 2]);
    assert!(got.iter().all(|got| got.events.iter().map(String::len).sum::<usize>() < 4_096));
    let mut ids = ids(&world);
    ids.dedup();
    assert_eq!(ids.len(), 3, "each request has an id of its own: {ids:?}");
    assert!(ids.iter().all(|id| id.starts_with("d.")));

    world.state().script.extend([Reply::Status(200), Reply::Status(500), Reply::Status(500)]);
    let attempted = tried(&world, &integration, &whole).await;
    assert_eq!(left(&attempted), (vec![vec![4, 5, 6, 7]], vec![]), "one request of three");
    let again = whole.part_of(&[4, 5, 6, 7]);
    tried(&world, &integration, &again).await;
    assert_eq!(world.state().got.last().unwrap().events.len(), 4);
}

#[tokio::test]
async fn a_trace_is_told_where_it_is_wanted_each_request_with_a_span_of_its_own() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let provenance = Provenance { trace: Some(parent.parse().unwrap()), ..Provenance::default() };
    let traced = Delivery { provenance, ..delivery("d", 1) };
    let own = |trace| Own { trace, ..Own::default() };
    let sent = async |trace, delivery: &Delivery| {
        let world = World::new();
        world.state().script.push_back(Reply::Status(500));
        tried(&world, &Integration { own: own(trace), ..integration("i") }, delivery).await;
        let state = world.state();
        let headers = state.got.iter().map(|got| got.headers.get("traceparent").map(str::to_owned));
        headers.collect::<Vec<_>>()
    };
    for (trace, delivery) in
        [(None, &traced), (Some(false), &traced), (Some(true), &delivery("d", 1))]
    {
        assert_eq!(sent(trace, delivery).await, [None, None]);
    }
    let told: Vec<_> = sent(Some(true), &traced).await.into_iter().flatten().collect();
    assert!(told.iter().all(|one| one.starts_with(&parent[..36]) && one.ends_with("-01")));
    assert!(
        told.len() == 2 && told[0] != told[1] && !told.contains(&parent.to_owned()),
        "{told:?}"
    );
}
