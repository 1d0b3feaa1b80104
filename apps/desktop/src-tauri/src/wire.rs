//! The lines that the main process writes, as `src/bridge/wire.ts` has them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keychain::SecretRequest;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromMain {
    Ready,
    Reply {
        id: u64,
        result: Value,
    },
    Fault {
        id: u64,
        fault: CallFault,
    },
    Event {
        event: Value,
    },
    #[serde(untagged)]
    Secret(SecretRequest),
}

/// A call that failed, as `src/bridge/protocol.ts` has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CallFault {
    pub code: String,
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> FromMain {
        serde_json::from_str(line).expect("a line of the wire")
    }

    #[test]
    fn reads_the_lines_of_the_wire() {
        assert_eq!(read(r#"{"type":"ready"}"#), FromMain::Ready);
        let reply = FromMain::Reply {
            id: 3,
            result: Value::Null,
        };
        assert_eq!(read(r#"{"type":"reply","id":3,"result":null}"#), reply);
        let name = "token".to_owned();
        let secret = FromMain::Secret(SecretRequest::Get { id: 1, name });
        assert_eq!(
            read(r#"{"type":"secret_get","name":"token","id":1}"#),
            secret
        );
        assert!(serde_json::from_str::<FromMain>(r#"{"type":"other"}"#).is_err());
    }
}
