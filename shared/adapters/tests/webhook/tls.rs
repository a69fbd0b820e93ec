//! Secure connections: whom the sender trusts.

use std::sync::Arc;

use flagpost_adapters::webhook::{Settings, WebhookSender};
use flagpost_domain::ports::SendError;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{OK, Receiver};
use crate::sending::{allowed, patient, request, send_request};

const EXEMPT: &str = "hooks.example.com=127.0.0.1,other.example.com=127.0.0.1";

/// A receiver with a certificate of its own for hooks.example.com. Each connection answers one
/// request and is lost over the second.
async fn receiver() -> (Receiver, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["hooks.example.com".into()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let receiver = Receiver::start(move |connection| {
        let acceptor = acceptor.clone();
        async move {
            let Some(mut connection) = connection.over(|stream| acceptor.accept(stream)).await
            else {
                return;
            };
            connection.request().await;
            connection.write(OK).await;
            connection.request().await;
        }
    })
    .await;
    (receiver, certificate)
}

fn sender(authorities: Vec<CertificateDer<'static>>) -> WebhookSender {
    WebhookSender::new(&Settings { authorities, allowed: allowed(EXEMPT), ..patient() }).unwrap()
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_is_accepted_and_a_dead_connection_replaced() {
    let (receiver, certificate) = receiver().await;
    let sender = sender(vec![certificate]);
    let url = format!("https://hooks.example.com:{}/SECRET", receiver.address.port());
    for _ in 0..2 {
        assert_eq!(
            send_request(&sender, request(&url, &allowed(EXEMPT))).await.unwrap().status,
            200
        );
    }
    assert_eq!(receiver.connections(), [0, 0, 1]);
}

#[tokio::test]
async fn an_unknown_authority_and_another_name_are_tls_failures() {
    let (receiver, certificate) = receiver().await;
    let port = receiver.address.port();
    for (authorities, host) in
        [(vec![], "hooks.example.com"), (vec![certificate], "other.example.com")]
    {
        let url = format!("https://{host}:{port}/SECRET");
        let result = send_request(&sender(authorities), request(&url, &allowed(EXEMPT))).await;
        assert!(matches!(result, Err(SendError::Tls(_))), "{result:?}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_receiver_that_speaks_plain_http_is_a_tls_failure() {
    let receiver = Receiver::start(|mut connection| async move {
        connection.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        connection.request().await;
    })
    .await;
    let url = format!("https://hooks.example.com:{}/SECRET", receiver.address.port());
    let result = send_request(&sender(vec![]), request(&url, &allowed(EXEMPT))).await;
    assert!(matches!(result, Err(SendError::Tls(_))), "{result:?}");
}

#[test]
fn an_authority_that_is_no_certificate_is_refused() {
    let authorities = vec![CertificateDer::from(vec![1, 2, 3])];
    assert!(WebhookSender::new(&Settings { authorities, ..patient() }).is_err());
}
