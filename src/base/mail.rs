//! Outgoing mail by SMTP. What a mail says is never logged: it holds links that let people in.

use super::clock::Clock;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{self, AsyncSmtpTransportBuilder, PoolConfig},
};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the whole of it may take: a server may look at a mail for a while before it takes it.
const WHOLE: Duration = Duration::from_secs(60);

/// One mail.
#[derive(Clone)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// Their name, where known.
    pub name: Option<String>,
    /// Where an answer goes; to the sender if left out.
    pub reply_to: Option<String>,
    /// What it is about.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// What tells this mail from others and is the same when it is tried again: the part before the @ of its
    /// Message-ID.
    pub id: String,
}

/// Why a mail did not go out. The text is for the operator's people.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MailError {
    /// It would fail again.
    #[error("{0}")]
    Refused(String),
    /// It may go out later.
    #[error("{0}")]
    Later(String),
}

/// The settings make no sense; the text says which and holds no password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadSettings(&'static str);

/// Sends mail. Cloning shares its connections.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    clock: Clock,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// By way of the server at `url` (`smtps://name:password@host`, `smtp://host?tls=required`), from this
    /// sender (`Acme <portal@example.org>`). Nothing is sent yet. Needs Tokio's runtime.
    ///
    /// # Errors
    /// Where one of them can't be read.
    pub fn new(url: &SecretString, from: &str, clock: Clock) -> Result<Self, BadSettings> {
        let (builder, from) = Self::read(url, from)?;
        let pool = PoolConfig::new().max_size(2).idle_timeout(Duration::from_secs(10));
        Ok(Self { transport: builder.timeout(Some(CONNECT)).pool_config(pool).build(), from, clock })
    }

    /// Whether the server's address and the sender can be read.
    ///
    /// # Errors
    /// Where one of them can't.
    pub fn check(url: &SecretString, from: &str) -> Result<(), BadSettings> {
        Self::read(url, from).map(drop)
    }

    fn read(url: &SecretString, from: &str) -> Result<(AsyncSmtpTransportBuilder, Mailbox), BadSettings> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| BadSettings("must be such as smtps://name:password@host or smtp://host?tls=required"))?;
        let from = from.parse().map_err(|_| BadSettings("the sender must be such as Acme <portal@example.org>"))?;
        Ok((builder, from))
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        match tokio::time::timeout(WHOLE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(explain(&error)),
            Err(_) => Err(MailError::Later("The mail server did not answer in time.".to_owned())),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let odd = || MailError::Refused("This address can’t be written to.".to_owned());
        let to = Mailbox::new(mail.name.clone().filter(|name| !name.is_empty()), mail.to.parse().map_err(|_| odd())?);
        let mut builder = Message::builder()
            .date(self.clock.now().into())
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject);
        if let Some(reply_to) = mail.reply_to.as_ref().and_then(|address| address.parse().ok()) {
            builder = builder.reply_to(Mailbox::new(None, reply_to));
        }
        let parts = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
        let mut message = builder.multipart(parts).map_err(|_| odd())?;
        // So that no holiday message answers it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message)
    }
}

/// What went wrong, in words.
fn explain(error: &smtp::Error) -> MailError {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    // The server's own words: one line, and no more of it than fits on a page.
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = super::text::shorten(words.trim(), 300);
    match code.as_str() {
        "530" | "534" | "535" | "538" => MailError::Refused(format!(
            "The mail server does not accept Doorway’s name and password: check DOORWAY_SMTP_URL. It said: {code} {words}"
        )),
        _ if error.is_permanent() => MailError::Refused(format!("The mail server refused it. It said: {code} {words}")),
        _ if error.is_transient() => {
            MailError::Later(format!("The mail server does not take it yet. It said: {code} {words}"))
        }
        _ if error.is_tls() => MailError::Later(format!("No safe connection to the mail server: {words}")),
        _ => MailError::Later(format!("The mail server can’t be reached: {words}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(url: &str) -> Result<Mailer, BadSettings> {
        Mailer::new(&url.into(), "Bäckerei <portal@example.org>", Clock::system())
    }

    fn mail() -> Mail {
        Mail {
            to: "maria@example.org".into(),
            name: Some("Maria Łopes".into()),
            reply_to: Some("help@example.org".into()),
            subject: "Einladung für Łopes\r\nBcc: evil@example.org".into(),
            text: "Grüße: https://example.org/invite/abc".into(),
            html: "<p>Grüße</p>".into(),
            id: "1.2".into(),
        }
    }

    #[tokio::test]
    async fn headers_are_plain_ascii_and_nothing_can_be_slipped_in() {
        let message = mailer("smtp://localhost:2525").unwrap().message(&mail()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(head.is_ascii(), "{head}");
        assert!(!head.contains("\nBcc:"), "{head}");
        for line in ["Message-ID: <1.2@example.org>", "Auto-Submitted: auto-generated", "MIME-Version: 1.0"] {
            assert!(head.contains(line), "{line}: {head}");
        }
        assert!(head.contains("Reply-To: help@example.org") && head.contains("multipart/alternative"), "{head}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_no_refusal() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = mailer(&format!("smtp://{gone}")).unwrap().send(&mail()).await.unwrap_err();
        assert!(matches!(&error, MailError::Later(text) if text.contains("reached")), "{error}");
        let odd = Mail { to: "a b@x".into(), ..mail() };
        let error = mailer("smtp://localhost").unwrap().send(&odd).await.unwrap_err();
        assert!(matches!(error, MailError::Refused(_)));
    }

    #[tokio::test]
    async fn settings_are_checked_without_telling_the_password() {
        for bad in ["smtp://", "http://name:secret@host", "smtp://host?tls=maybe", "mail.example.org"] {
            assert!(!mailer(bad).unwrap_err().to_string().contains("secret"), "{bad}");
        }
        let shown = format!("{:?}", mailer("smtps://name:secret@mail.example.org").unwrap());
        assert!(!shown.contains("secret"));
    }
}
