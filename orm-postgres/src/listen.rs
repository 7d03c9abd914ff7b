//! LISTEN and NOTIFY: messages between sessions, over a connection of their own.

use std::time::Duration;

use orm_core::error::{Error, ErrorKind, Result};
use sqlx::postgres::{PgListener, PgNotification, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Handle;

use crate::Postgres;
use crate::error::{connect_error, is_refusal, statement_error};
use crate::options::PostgresOptions;
use crate::pool::PING_LIMIT;

/// How long a silent connection is trusted before it is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(30);
/// The server takes no longer payload, in bytes.
const LONGEST: usize = 7999;
/// The server cuts longer names of channels off, in bytes.
const LONGEST_NAME: usize = 63;

/// What a [`Listener`] hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message.
    Message(Message),
    /// The connection was lost and is there again: messages of the time between are gone. Whoever keeps something in
    /// step by messages starts anew here.
    Gap,
}

/// A message, sent when the transaction of its sender was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel it was sent on.
    pub channel: String,
    /// The text that was sent, empty if there was none.
    pub payload: String,
    /// The number of the server process of the sender.
    pub process: u32,
}

impl From<PgNotification> for Message {
    fn from(n: PgNotification) -> Self {
        Message {
            channel: n.channel().to_owned(),
            payload: n.payload().to_owned(),
            process: n.process_id(),
        }
    }
}

/// Hears what is sent on channels. It has a connection of its own outside of the pool, which is closed with it.
pub struct Listener {
    options: PostgresOptions,
    channels: Vec<String>,
    connected: Option<Connected>,
    /// Whether something may have been missed that the caller has not been told of.
    missed: bool,
}

/// A connection that listens, ended on the runtime it was opened on.
struct Connected {
    listener: Option<PgListener>,
    runtime: Handle,
}

impl Drop for Connected {
    fn drop(&mut self) {
        // sqlx starts a task to say goodbye, and would panic outside of a runtime
        let _inside = self.runtime.enter();
        self.listener.take();
    }
}

impl Postgres {
    /// Listens on channels, by their exact names. What is sent from now on is heard, in order.
    ///
    /// ```no_run
    /// # async fn example(db: &orm_postgres::Postgres) -> orm_core::error::Result<()> {
    /// use orm_postgres::Notice;
    /// let mut listener = db.listen(["users", "posts"]).await?;
    /// loop {
    ///     match listener.next().await? {
    ///         Notice::Message(m) => println!("{}: {}", m.channel, m.payload),
    ///         Notice::Gap => println!("anything may have changed"),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// ```sql
    /// LISTEN "users"; LISTEN "posts"
    /// ```
    ///
    /// # Errors
    /// `Connect` if no connection comes about, `InvalidQuery` for a name that is no channel's, `Unsupported` behind a
    /// pooler, which hands a session to others.
    pub async fn listen<'a>(&self, channels: impl IntoIterator<Item = &'a str>) -> Result<Listener> {
        let options = self.options().clone();
        if options.pooler {
            return Err(Error::unsupported("LISTEN behind a pooler", "postgres"));
        }
        let channels: Vec<String> = channels.into_iter().map(str::to_owned).collect();
        channels.iter().try_for_each(|name| checked(name))?;
        let mut listener = Listener {
            options,
            channels,
            connected: None,
            missed: false,
        };
        listener.connect().await?;
        Ok(listener)
    }
}

fn checked(channel: &str) -> Result<()> {
    if channel.is_empty() || channel.len() > LONGEST_NAME || channel.contains('\0') {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            format!("a channel's name has between 1 and {LONGEST_NAME} bytes, none of them NUL"),
        ));
    }
    Ok(())
}

/// Whether the server takes a message as it is: it would cut the name off, or refuse the payload in the middle of a
/// transaction.
#[doc(hidden)]
pub fn check_message(channel: &str, payload: &str) -> Result<()> {
    checked(channel)?;
    if payload.len() > LONGEST {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            format!("the payload of a message has {LONGEST} bytes at most"),
        ));
    }
    Ok(())
}

impl Listener {
    /// Waits for the next message. After a connection was lost it is opened again, and the first thing heard is
    /// [`Notice::Gap`]. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Connect` if no connection comes about again. Called once more, it is tried once more.
    pub async fn next(&mut self) -> Result<Notice> {
        loop {
            if self.connected.is_none() {
                self.connect().await?;
            }
            if std::mem::take(&mut self.missed) {
                return Ok(Notice::Gap);
            }
            let listener = self.connected.as_mut().and_then(|c| c.listener.as_mut());
            match listener {
                Some(listener) => match heard(listener).await {
                    Some(n) => return Ok(Notice::Message(n.into())),
                    None => self.lose(),
                },
                None => self.lose(),
            }
        }
    }

    /// The channels it listens on.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    fn lose(&mut self) {
        self.connected = None;
        self.missed = true;
    }

    async fn connect(&mut self) -> Result<()> {
        let place = self.options.place();
        let failed = |e: &sqlx::Error| match is_refusal(e) {
            true => statement_error(e),
            false => connect_error(e, &place),
        };
        let limit = self.options.pool.acquire_timeout;
        let options = self.options.connect_options()?;
        // a pool asks again and again and says at last that it has waited; one connection says why there is none
        let probe = options.connect().await.map_err(|e| failed(&e))?;
        probe.close().await.ok();
        // one connection and nothing that replaces it: what is lost is to be noticed here
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(limit)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(options);
        let opened = PgListener::connect_with(&pool).await.map_err(|e| failed(&e))?;
        let mut connected = Connected {
            listener: Some(opened),
            runtime: Handle::current(),
        };
        if let Some(listener) = &mut connected.listener {
            listener.ignore_pool_close_event(true);
            listener.eager_reconnect(false);
            let channels = self.channels.iter().map(String::as_str);
            listener.listen_all(channels).await.map_err(|e| failed(&e))?;
        }
        self.connected = Some(connected);
        Ok(())
    }
}

/// The next message; `None` when the connection is not to be trusted any more.
async fn heard(listener: &mut PgListener) -> Option<PgNotification> {
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(received) => return received.ok().flatten(),
            Err(_) => {
                let alive = tokio::time::timeout(PING_LIMIT, (&mut *listener).execute("SELECT 1")).await;
                alive.ok()?.ok()?;
            }
        }
    }
}
