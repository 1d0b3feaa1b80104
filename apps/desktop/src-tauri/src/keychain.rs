//! The operating system's keychain: Secret Service, macOS Keychain or Windows Credential Manager. Only this
//! file reaches it. The command line of the same user keeps its sign-in under the same names, in the same
//! encoding: both are one device. Faults carry no secret.

use keyring::{Entry, Error};
use serde::Deserialize;
use serde_json::{Value, json};

const SERVICE: &str = "claude-relay";

/// What the main process asks of the keychain, as `src/bridge/wire.ts` has it.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type")]
pub enum SecretRequest {
    #[serde(rename = "secret_get")]
    Get { id: u64, name: String },
    #[serde(rename = "secret_set")]
    Set {
        id: u64,
        name: String,
        value: String,
    },
    #[serde(rename = "secret_delete")]
    Delete { id: u64, name: String },
}

/// Does what is asked and gives the line to answer with. May wait for the user to unlock the keychain.
pub fn answer(request: &SecretRequest) -> Value {
    let (id, result) = match request {
        SecretRequest::Get { id, name } => (id, get(name)),
        SecretRequest::Set { id, name, value } => (id, set(name, value)),
        SecretRequest::Delete { id, name } => (id, delete(name)),
    };
    match result {
        Ok(value) => json!({ "type": "secret_reply", "id": id, "value": value }),
        Err(error) => fault_line(*id, &error),
    }
}

fn get(name: &str) -> keyring::Result<Option<String>> {
    match Entry::new(SERVICE, name)?.get_password() {
        Ok(value) => Ok(Some(value)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn set(name: &str, value: &str) -> keyring::Result<Option<String>> {
    Entry::new(SERVICE, name)?.set_password(value)?;
    Ok(None)
}

fn delete(name: &str) -> keyring::Result<Option<String>> {
    match Entry::new(SERVICE, name)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn fault_line(id: u64, error: &Error) -> Value {
    let (code, message) = match error {
        Error::NoDefaultStore => ("no_keychain", "No system keychain found.".to_owned()),
        // Their words would carry the bytes that were found.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            ("failed", "The keychain's entry is not ours.".to_owned())
        }
        other => ("failed", other.to_string()),
    };
    json!({ "type": "secret_fault", "id": id, "code": code, "message": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_of_the_wire() {
        let line = r#"{"type":"secret_set","id":7,"name":"token","value":"s3cret"}"#;
        let request: SecretRequest = serde_json::from_str(line).expect("a secret request");
        let (name, value) = ("token".to_owned(), "s3cret".to_owned());
        assert_eq!(request, SecretRequest::Set { id: 7, name, value });
    }

    #[test]
    fn no_keychain_is_told_from_a_keychain_that_failed() {
        let absent = fault_line(1, &Error::NoDefaultStore);
        assert_eq!(absent["code"], "no_keychain");
        let locked = fault_line(2, &Error::NoStorageAccess("locked".into()));
        assert_eq!(locked["code"], "failed");
        assert_eq!(locked["id"], 2);
    }

    #[test]
    fn a_fault_holds_no_secret() {
        let fault = fault_line(3, &Error::BadEncoding(b"s3cret".to_vec()));
        assert!(!fault.to_string().contains("115"), "{fault}");
    }
}
