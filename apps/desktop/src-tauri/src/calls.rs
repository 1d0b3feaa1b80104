//! The window's calls that wait for the main process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde_json::Value;
use tauri::async_runtime::{self, Receiver, Sender};

use crate::lock::lock;
use crate::wire::CallFault;

pub type Outcome = Result<Value, CallFault>;

#[derive(Default)]
pub struct Calls {
    next_id: AtomicU64,
    waiting: Mutex<HashMap<u64, Sender<Outcome>>>,
}

/// What will come of a call.
pub struct Waiting(Receiver<Outcome>);

impl Waiting {
    pub async fn wait(mut self) -> Outcome {
        self.0.recv().await.unwrap_or_else(|| Err(not_running()))
    }
}

impl Calls {
    /// Gives a new call's id.
    pub fn begin(&self) -> (u64, Waiting) {
        let id = self.next_id.fetch_add(1, SeqCst);
        let (sender, outcome) = async_runtime::channel(1);
        lock(&self.waiting).insert(id, sender);
        (id, Waiting(outcome))
    }

    pub fn settle(&self, id: u64, outcome: Outcome) {
        if let Some(sender) = lock(&self.waiting).remove(&id) {
            // Fails only when the window no longer waits.
            drop(sender.try_send(outcome));
        }
    }

    /// There is no main process to answer it: a call without a sender fails.
    pub fn fail(&self, id: u64) {
        lock(&self.waiting).remove(&id);
    }

    pub fn fail_all(&self) {
        lock(&self.waiting).clear();
    }
}

fn not_running() -> CallFault {
    CallFault {
        code: "failed".to_owned(),
        message: "The app's main process is not running.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_gets_its_own_outcome_in_whatever_order_they_come() {
        let calls = Calls::default();
        let ((first, one), (second, other)) = (calls.begin(), calls.begin());
        calls.settle(second, Err(not_running()));
        calls.settle(first, Ok(Value::from(7)));
        assert_eq!(async_runtime::block_on(one.wait()), Ok(Value::from(7)));
        assert_eq!(async_runtime::block_on(other.wait()), Err(not_running()));
    }

    #[test]
    fn calls_fail_when_the_main_process_ends() {
        let calls = Calls::default();
        let ((first, one), (second, other)) = (calls.begin(), calls.begin());
        calls.fail(first);
        assert_eq!(async_runtime::block_on(one.wait()), Err(not_running()));
        calls.fail_all();
        calls.settle(second, Ok(Value::Null));
        assert_eq!(async_runtime::block_on(other.wait()), Err(not_running()));
    }
}
