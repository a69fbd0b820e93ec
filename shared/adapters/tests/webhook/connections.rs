//! Connections that are lost, new ones and kept ones.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use flagpost_domain::ports::{Request, SendError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::receiver::{OK, Receiver};
use crate::sending::{allowed, request, send, send_request, sender, time_out};

/// Answers the first request of its first connection; `then` says what becomes of the second
/// request there. Later connections answer everything.
macro_rules! kept_then {
    (|$connection:ident| $then:expr) => {
        Receiver::start(|mut $connection| async move {
            if $connection.number == 0 {
                $connection.request().await;
                $connection.write(OK).await;
                $then;
            } else {
                while $connection.request().await.is_some() {
                    $connection.write(OK).await;
                }
            }
        })
        .await
    };
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_failure_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/SECRET", listener.local_addr().unwrap());
    drop(listener);
    let result = send(&sender(), &url).await;
    assert!(matches!(result, Err(SendError::Connect(_))), "{result:?}");
}

#[tokio::test]
async fn a_new_connection_that_is_lost_is_not_tried_again() {
    // Closed at once; after the head was half read, so that it is reset; after the whole request;
    // after half of an answer's head.
    let at_once = Receiver::start(|connection| async move { drop(connection) }).await;
    let reset = Receiver::start(|mut connection| async move {
        connection.stream.read_u8().await.unwrap();
    })
    .await;
    let unanswered = Receiver::start(|mut connection| async move {
        connection.request().await;
    })
    .await;
    let half = Receiver::start(|mut connection| async move {
        connection.request().await;
        connection.write("HTTP/1.1 200 OK\r\ncont").await;
    })
    .await;
    for receiver in [at_once, reset, unanswered, half] {
        let sender = sender();
        for times in 1..=3 {
            let result = send(&sender, &receiver.url()).await;
            assert!(matches!(result, Err(SendError::Lost(_))), "{result:?}");
            assert_eq!(receiver.accepted(), times);
        }
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let receiver = Receiver::answering(OK).await;
    let sender = sender();
    for _ in 0..5 {
        send(&sender, &receiver.url()).await.unwrap();
    }
    assert_eq!(receiver.connections(), [0; 5]);
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_without_an_answer_is_replaced_by_one_new_one() {
    let receiver = kept_then!(|connection| connection.request().await);
    let sender = sender();
    for _ in 0..3 {
        assert_eq!(send(&sender, &receiver.url()).await.unwrap().status, 200);
    }
    // The second request was seen twice, with one id; the new connection is not kept, for it
    // comes of a client that keeps none.
    assert_eq!(receiver.connections(), [0, 0, 1, 2]);
    let requests = receiver.received();
    assert_eq!(requests[1].headers, requests[2].headers);
    assert_eq!(requests[1].body, requests[2].body);
}

#[tokio::test]
async fn a_kept_connection_that_is_reset_is_replaced_by_one_new_one() {
    // Closing with unread bytes resets the connection, while the client still writes its body.
    let receiver = kept_then!(|connection| connection.stream.read_u8().await.unwrap());
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    let big = Bytes::from(vec![b'x'; 8 << 20]);
    let plain = request(&receiver.url(), &allowed("127.0.0.1"));
    let answer = send_request(&sender, Request { body: big.clone(), ..plain }).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(receiver.connections(), [0, 1]);
    assert_eq!(receiver.received()[1].body, big);
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_while_idle_costs_nothing() {
    let (close, closing) = tokio::sync::watch::channel(false);
    let (closed, mut wait_closed) = tokio::sync::mpsc::channel(1);
    let receiver = Receiver::start(move |mut connection| {
        let (mut closing, closed) = (closing.clone(), closed.clone());
        async move {
            connection.request().await;
            connection.write(OK).await;
            closing.wait_for(|close| *close).await.unwrap();
            drop(connection);
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    close.send(true).unwrap();
    wait_closed.recv().await.unwrap();
    assert_eq!(send(&sender, &receiver.url()).await.unwrap().status, 200);
    assert_eq!(receiver.connections(), [0, 1]);
}

#[tokio::test]
async fn the_second_try_is_the_last() {
    let receiver = Receiver::start(|mut connection| async move {
        connection.request().await;
        if connection.number == 0 {
            connection.write(OK).await;
            connection.request().await;
        }
    })
    .await;
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    let result = send(&sender, &receiver.url()).await;
    assert!(matches!(result, Err(SendError::Lost(_))), "{result:?}");
    assert_eq!(receiver.connections(), [0, 0, 1]);
}

#[tokio::test]
async fn an_answer_that_began_is_not_asked_for_again() {
    let receiver = kept_then!(|connection| {
        connection.request().await;
        connection.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    });
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    let result = send(&sender, &receiver.url()).await;
    assert!(matches!(result, Err(SendError::Lost(_))), "{result:?}");
    assert_eq!(receiver.connections(), [0, 0]);
}

#[tokio::test]
async fn nonsense_on_a_kept_connection_is_not_asked_for_again() {
    let receiver = kept_then!(|connection| {
        connection.request().await;
        connection.write("nonsense\r\n\r\n").await;
    });
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    let result = send(&sender, &receiver.url()).await;
    assert!(matches!(result, Err(SendError::Protocol(_))), "{result:?}");
    assert_eq!(receiver.connections(), [0, 0]);
}

#[tokio::test]
async fn both_tries_together_have_the_time_of_one() {
    let receiver = Receiver::start(|mut connection| async move {
        connection.request().await;
        if connection.number == 0 {
            connection.write(OK).await;
            connection.request().await;
        } else {
            pending::<()>().await;
        }
    })
    .await;
    let sender = sender();
    send(&sender, &receiver.url()).await.unwrap();
    time_out(&receiver, sender, 3).await;
    assert_eq!(receiver.connections(), [0, 0, 1]);
}

/// Every connection answers once and dies over its second request, as after a freeze: with new
/// connections under way and kept ones coming free at the same time, each request still arrives.
#[tokio::test]
async fn many_at_once_all_arrive_over_connections_that_die_after_one_answer() {
    let receiver = Receiver::start(|mut connection| async move {
        connection.request().await;
        connection.write(OK).await;
        connection.request().await;
    })
    .await;
    let sender = Arc::new(sender());
    let url = receiver.url();
    for _ in 0..50 {
        let round: Vec<_> = (0..8)
            .map(|_| {
                let (sender, url) = (Arc::clone(&sender), url.clone());
                tokio::spawn(async move { send(&sender, &url).await })
            })
            .collect();
        for sent in round {
            assert_eq!(sent.await.unwrap().unwrap().status, 200);
        }
    }
}
