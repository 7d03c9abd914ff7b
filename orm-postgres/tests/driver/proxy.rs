//! A proxy in front of the server that holds or cuts what passes through it, when a chosen request goes by.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orm_postgres::PostgresOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::eventually;

/// What happens to a request with a certain text in it, and to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is cut and the server never sees the request.
    CutRequest,
    /// The server gets the request; of its answer so many bytes arrive, then the connection is cut.
    CutAnswer(usize),
    /// The server gets the request; its answer is kept back until `release`.
    HoldAnswer,
}

#[derive(Default)]
struct State {
    /// Which requests, what happens to them, and how many of them.
    plan: Mutex<Option<(Vec<u8>, Fault, usize)>>,
    /// How many requests it has happened to.
    met: AtomicUsize,
    /// How many clients have gone.
    gone: AtomicUsize,
    release: Notify,
}

impl State {
    fn fault_of(&self, request: &[u8]) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let (text, fault, left) = plan.as_mut()?;
        let found = request.windows(text.len()).any(|w| w == text.as_slice());
        if !found || *left == 0 {
            return None;
        }
        *left -= 1;
        Some(*fault)
    }
}

/// Listens until the test ends.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let cluster = orm::testing::Cluster::shared().expect("a throw-away server");
        let address = ("127.0.0.1", cluster.port().expect("a server of our own"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(address).await.unwrap();
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Proxy { port, state }
    }
    /// The way to the server through this.
    pub(crate) fn through(&self, options: PostgresOptions) -> PostgresOptions {
        options.host("127.0.0.1").port(self.port)
    }
    /// The next `times` requests with this text in them meet the fault.
    pub(crate) fn on(&self, text: &str, fault: Fault, times: usize) {
        *self.state.plan.lock().unwrap() = Some((text.as_bytes().to_vec(), fault, times));
        self.state.met.store(0, Ordering::SeqCst);
    }
    /// Waits until a request met its fault.
    pub(crate) async fn met(&self) {
        let met = async || self.state.met.load(Ordering::SeqCst) > 0;
        assert!(
            eventually(Duration::from_secs(5), met).await,
            "nothing met the fault"
        );
    }
    pub(crate) fn times_met(&self) -> usize {
        self.state.met.load(Ordering::SeqCst)
    }
    /// How many clients have closed their connection.
    pub(crate) fn clients_gone(&self) -> usize {
        self.state.gone.load(Ordering::SeqCst)
    }
    /// Lets held answers go.
    pub(crate) fn release(&self) {
        self.state.release.notify_waiters();
    }
}

/// Passes bytes between the two until one of them ends, or a fault does.
async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let fault = Mutex::new(None);
    let requests = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let n = from_client.read(&mut bytes).await.unwrap_or(0);
            if n == 0 {
                state.gone.fetch_add(1, Ordering::SeqCst);
                return;
            }
            if let Some(met) = state.fault_of(&bytes[..n]) {
                state.met.fetch_add(1, Ordering::SeqCst);
                *fault.lock().unwrap() = Some(met);
                if met == Fault::CutRequest {
                    return;
                }
            }
            if to_server.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    let answers = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let n = from_server.read(&mut bytes).await.unwrap_or(0);
            if n == 0 {
                return;
            }
            let met = *fault.lock().unwrap();
            let passed = match met {
                None | Some(Fault::CutRequest) => n,
                Some(Fault::HoldAnswer) => {
                    state.release.notified().await;
                    n
                }
                Some(Fault::CutAnswer(left)) => {
                    *fault.lock().unwrap() = Some(Fault::CutAnswer(left.saturating_sub(n)));
                    left.min(n)
                }
            };
            if to_client.write_all(&bytes[..passed]).await.is_err() || passed < n {
                return;
            }
        }
    };
    tokio::select! {
        () = requests => {}
        () = answers => {}
    }
}
