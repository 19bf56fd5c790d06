//! Password hashes: Argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), off the async threads.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>

use super::AccountError;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes and checks passwords, at most two at a time: each takes 19 MiB and tens of milliseconds.
#[derive(Clone)]
pub struct Passwords {
    room: Arc<Semaphore>,
    /// Checked where no such person exists, so that the answer takes as long.
    dummy: Arc<str>,
}

impl Passwords {
    /// Ready to work.
    ///
    /// # Errors
    /// Where the machine gives no random numbers.
    pub fn new() -> Result<Self, AccountError> {
        let dummy = hash_blocking("a password that nobody has")?;
        Ok(Self { room: Arc::new(Semaphore::new(2)), dummy: dummy.into() })
    }

    /// The hash of a password, in PHC form.
    ///
    /// # Errors
    /// Where the machine gives no random numbers.
    pub async fn hash(&self, password: SecretString) -> Result<String, AccountError> {
        let _room = self.room.acquire().await;
        run(move || hash_blocking(password.expose_secret())).await?
    }

    /// Whether the password belongs to the hash. Without a hash (no such person) the answer is no, and
    /// takes as long.
    ///
    /// # Errors
    /// Where the work could not be done; a wrong password is no error.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, AccountError> {
        let _room = self.room.acquire().await;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let matches =
            run(move || Argon2::default().verify_password(password.expose_secret().as_bytes(), hash.as_str()).is_ok())
                .await?;
        Ok(known && matches)
    }
}

fn hash_blocking(password: &str) -> Result<String, AccountError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| AccountError::Hash(error.to_string()))
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AccountError::Hash(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn follows_owasp_and_tells_right_from_wrong() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("a password that nobody has".into(), None).await.unwrap());
    }
}
