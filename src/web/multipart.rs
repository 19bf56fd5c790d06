//! Forms with files in them (`multipart/form-data`), their CSRF token checked and their size capped. A form that is sent
//! without files, as `application/x-www-form-urlencoded`, is read too.

use super::{Error, Result, csrf};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};
use multer::{Constraints, Multipart, SizeLimit};
use tower_sessions::Session;

/// How much a form's other fields may have in all beside its files, in bytes.
const TEXT_BYTES: u64 = 256 * 1024;

/// A posted form of at most so many bytes of files, its `csrf` field verified against the session.
#[derive(Clone, Debug, Default)]
pub struct MultipartForm<const MAX_BYTES: u64> {
    fields: Vec<(String, String)>,
    files: Vec<(String, SentFile)>,
}

/// A file of a form.
#[derive(Clone, Debug)]
pub struct SentFile {
    /// Its name on the sender's machine; never to be trusted.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

impl<const MAX_BYTES: u64> MultipartForm<MAX_BYTES> {
    /// A field's text; empty where there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// All values of a repeated field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A file, where one was chosen: a browser sends an empty one otherwise.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&SentFile> {
        self.files.iter().find(|(key, file)| key == name && !file.bytes.is_empty()).map(|(_, file)| file)
    }

    async fn read(request: Request) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let broken =
            || Error::BadRequest("The form could not be read. Go back, reload the page, and send it again.".to_owned());
        if kind.starts_with("application/x-www-form-urlencoded") {
            let limit = usize::try_from(TEXT_BYTES).unwrap_or(usize::MAX);
            let bytes = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| broken())?;
            let fields = url::form_urlencoded::parse(&bytes).into_owned().collect();
            return Ok(Self { fields, files: Vec::new() });
        }
        let boundary = multer::parse_boundary(&kind);
        let boundary = boundary.map_err(|_| Error::BadRequest("This address takes a form.".to_owned()))?;
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_BYTES + TEXT_BYTES));
        let stream = request.into_body().into_data_stream();
        let mut parts = Multipart::with_constraints(stream, boundary, limits);
        let refused = |error: multer::Error| match error {
            multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
                let most = MAX_BYTES / 1024 / 1024;
                Error::BadRequest(format!(
                    "The file is too large: at most {most} MB can be sent. Go back and choose a smaller one."
                ))
            }
            error => {
                tracing::debug!(%error, "a form with files could not be read");
                broken()
            }
        };
        let mut form = Self::default();
        let mut room = usize::try_from(TEXT_BYTES).unwrap_or(usize::MAX);
        while let Some(part) = parts.next_field().await.map_err(refused)? {
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(str::to_owned) {
                Some(file) => {
                    let bytes = part.bytes().await.map_err(refused)?;
                    form.files.push((name, SentFile { name: file, bytes }));
                }
                None => {
                    let text = part.text().await.map_err(refused)?;
                    room = room.checked_sub(name.len() + text.len()).ok_or_else(broken)?;
                    form.fields.push((name, text));
                }
            }
        }
        Ok(form)
    }
}

impl<S: Send + Sync, const MAX_BYTES: u64> FromRequest<S> for MultipartForm<MAX_BYTES> {
    type Rejection = Error;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let session =
            request.extensions().get::<Session>().cloned().ok_or_else(|| Error::internal("no session layer"))?;
        let form = Self::read(request).await?;
        csrf::verify(&session, form.text("csrf")).await?;
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str, body: String) -> Request {
        Request::builder().header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
    }

    #[tokio::test]
    async fn fields_and_files_are_told_apart_and_capped() {
        let body = |size: usize| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"about\"\r\n\r\nHello\r\n--x\r\nContent-Disposition: \
                 form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{}\r\n--x--\r\n",
                "p".repeat(size)
            )
        };
        let kind = "multipart/form-data; boundary=x";
        let form = MultipartForm::<1024>::read(request(kind, body(10))).await.unwrap();
        assert_eq!((form.text("about"), form.file("photo").unwrap().bytes.len()), ("Hello", 10));
        assert!(MultipartForm::<1024>::read(request(kind, body(0))).await.unwrap().file("photo").is_none());
        let large = MultipartForm::<1024>::read(request(kind, body(400_000))).await.unwrap_err();
        assert!(large.to_string().contains("too large"), "{large}");
        let plain = request("application/x-www-form-urlencoded", "a=1&a=2".to_owned());
        let plain = MultipartForm::<1024>::read(plain).await.unwrap();
        assert_eq!(plain.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(MultipartForm::<1024>::read(request("text/plain", String::new())).await.is_err());
    }
}
