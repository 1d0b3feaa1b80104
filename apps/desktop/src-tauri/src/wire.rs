//! The lines that the main process writes, as `src/bridge/wire.ts` has them.

use serde::Deserialize;
use serde_json::Value;

use crate::keychain::SecretRequest;

#[derive(Debug, PartialEq)]
pub enum FromMain {
    Ready,
    /// A reply, a fault or an event: carried as it is.
    ForWindow(Value),
    Secret(SecretRequest),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Kind {
    Ready,
    Reply,
    Fault,
    Event,
    #[serde(other)]
    Other,
}

impl FromMain {
    pub fn read(line: &str) -> serde_json::Result<Self> {
        match serde_json::from_str(line)? {
            Kind::Ready => Ok(Self::Ready),
            Kind::Reply | Kind::Fault | Kind::Event => {
                serde_json::from_str(line).map(Self::ForWindow)
            }
            Kind::Other => serde_json::from_str(line).map(Self::Secret),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> FromMain {
        FromMain::read(line).expect("a line of the wire")
    }

    #[test]
    fn reads_the_lines_of_the_wire() {
        assert_eq!(read(r#"{"type":"ready"}"#), FromMain::Ready);
        let name = "token".to_owned();
        let secret = FromMain::Secret(SecretRequest::Get { id: 1, name });
        assert_eq!(
            read(r#"{"type":"secret_get","name":"token","id":1}"#),
            secret
        );
        assert!(FromMain::read(r#"{"type":"other"}"#).is_err());
    }

    #[test]
    fn carries_what_is_for_the_window_as_it_is() {
        for line in [
            r#"{"type":"reply","id":1790000000000001,"result":{"a":[1,null]}}"#,
            r#"{"type":"fault","id":2,"fault":{"code":"busy","message":"Wait."}}"#,
            r#"{"type":"event","event":{"type":"usage_changed"}}"#,
        ] {
            let FromMain::ForWindow(value) = read(line) else {
                panic!("{line} is for the window");
            };
            let whole: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(value, whole);
        }
    }
}
