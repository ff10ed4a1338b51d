//! What a real server calls: no proxy that its environment names, and by TLS only whoever can show who they are.

use std::net::{SocketAddr, TcpListener as Listener};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::client::{Api, Fleet};
use crate::home::{Home, On, Server};

/// A server, and a workflow `ask` that calls `input.url`.
async fn asking(home: &Home) -> (Server, Api) {
    let fleet = Fleet::of(1);
    let api = Api::new(Arc::clone(&fleet), home.key());
    let server = home.serve("server");
    fleet.set(0, Some(server.url.clone()));
    let definition = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "ask": {"type": "http.request@1", "config": {"url": "{{ input.url }}"}}
        },
        "edges": [{"from": "start", "to": "ask"}],
        "output": "{{ nodes.ask.output.body }}"
    });
    api.publish("ask", &definition).await;
    (server, api)
}

/// How a call of this URL ended: what came back, or the error's message.
async fn ask(api: &Api, url: &str) -> Result<Value, String> {
    let run = api.start("ask", url, json!({"url": url})).await;
    loop {
        let ended = api.run(&run).await;
        match ended["status"].as_str().unwrap() {
            "SUCCEEDED" => return Ok(ended["output"]["json"].clone()),
            "FAILED" => return Err(format!("{} {}", ended["error"]["code"], ended["error"]["message"])),
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

async fn plain() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(|| async { axum::Json("here") });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_of_the_environment_are_not_used() {
    let proxy = Listener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let named = format!("http://{}", proxy.local_addr().unwrap());
    let mut home = Home::new(On::Sqlite).await.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        home = home.with_variable(name, &named).with_variable(&name.to_lowercase(), &named);
    }
    let (_server, api) = asking(&home).await;
    let service = plain().await;
    assert_eq!(ask(&api, &format!("http://{service}/")).await, Ok(json!("here")));
    assert!(ask(&api, "https://127.0.0.1:1/").await.is_err());
    assert!(proxy.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}

/// Answers one request after the other with `"here"`, by TLS.
async fn secure(certificate: &rcgen::Certificate, key: &KeyPair) -> u16 {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever does not trust the certificate hangs up here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\nconnection: close\r\n\r\n\"here\"";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_nobody_of_another_host_and_of_the_past_are_refused() {
    let authority = {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let trusted = tempfile::tempdir().unwrap();
    let file = trusted.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let home = Home::new(On::Sqlite).await.with("HTTP__ALLOW_HOSTS", "127.0.0.1, localhost");
    let home = home.with_variable("SSL_CERT_FILE", &file.display().to_string());
    let (_server, api) = asking(&home).await;

    let for_localhost = || CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let good = secure(&for_localhost().signed_by(&key, &authority).unwrap(), &key).await;
    assert_eq!(ask(&api, &format!("https://localhost:{good}/")).await, Ok(json!("here")));
    // The address is not what the certificate is for.
    let other = ask(&api, &format!("https://127.0.0.1:{good}/")).await.unwrap_err();

    let own = secure(&for_localhost().self_signed(&key).unwrap(), &key).await;
    let own = ask(&api, &format!("https://localhost:{own}/")).await.unwrap_err();

    let mut past = for_localhost();
    (past.not_before, past.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let past = secure(&past.signed_by(&key, &authority).unwrap(), &key).await;
    let past = ask(&api, &format!("https://localhost:{past}/")).await.unwrap_err();

    for refused in [&other, &own, &past] {
        assert!(refused.contains("HTTP_CONNECT") && refused.contains("certificate"), "{refused}");
    }
    assert!(past.contains("expired"), "{past}");
}
