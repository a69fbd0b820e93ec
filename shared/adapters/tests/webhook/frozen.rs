//! A function that is frozen while its connections die.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;

use crate::child::Child;
use crate::receiver::{OK, Receiver};

#[tokio::test]
async fn a_connection_that_died_while_the_process_was_frozen_is_no_failure() {
    let (close, closing) = watch::channel(0);
    let (closed, mut wait_closed) = mpsc::channel(1);
    // Each connection answers one request and is closed when it is told to.
    let receiver = Receiver::start(move |mut connection| {
        let (mut closing, closed) = (closing.clone(), closed.clone());
        async move {
            connection.request().await;
            connection.write(OK).await;
            let number = connection.number;
            closing.wait_for(|upto| *upto > number).await.unwrap();
            drop(connection);
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let url: Arc<str> = receiver.url().into();
    let mut child = spawn_blocking(|| Child::start([])).await.unwrap();
    for round in 0..3 {
        let to = Arc::clone(&url);
        let told;
        (child, told) = spawn_blocking(move || {
            let told = child.send(&to);
            child.freeze();
            (child, told)
        })
        .await
        .unwrap();
        assert_eq!(told, "answered 200", "round {round}");
        close.send(round + 1).unwrap();
        wait_closed.recv().await.unwrap();
        child.thaw();
    }
    assert_eq!(receiver.connections(), [0, 1, 2]);
}
