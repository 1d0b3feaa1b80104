//! The main process as the window sees it: calls go in, replies and events come out, a JSON value a line
//! (`src/bridge/wire.ts`). It ends when its input ends, however the shell dies.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tauri::ipc::Channel;

use crate::keychain::{self, SecretRequest};
use crate::lock::lock;
use crate::process;
use crate::restarts::Restarts;
use crate::wire::FromMain;

const BEFORE_RESTART: Duration = Duration::from_secs(1);
/// Time to end an answer and write it down, once the app quits; the main process takes no more than 5 s.
const TO_END: Duration = Duration::from_secs(6);

type Input = mpsc::Sender<Value>;

#[derive(Default)]
pub struct Sidecar {
    window: Mutex<Option<Channel<Value>>>,
    input: Mutex<Option<Arc<Input>>>,
    child: Mutex<Option<Child>>,
    stopping: AtomicBool,
}

/// A main process that runs: what it writes, and where its questions to the keychain go.
struct Running {
    output: BufReader<ChildStdout>,
    secrets: mpsc::Sender<SecretRequest>,
}

impl Sidecar {
    /// Starts the main process and keeps it running, on a thread of its own, until `stop`.
    pub fn start() -> Arc<Self> {
        let sidecar = Arc::new(Self::default());
        let keeper = Arc::clone(&sidecar);
        // Before the window opens: its first call must find somebody.
        let first = sidecar.spawn();
        thread::spawn(move || keeper.keep_running(first));
        sidecar
    }

    /// Every line from now on goes to this channel: there is one window, and its newest page listens. All of them
    /// to one, which keeps their order: a reply that an event has overtaken would bring back what that changed.
    pub fn listen(&self, channel: Channel<Value>) {
        *lock(&self.window) = Some(channel);
    }

    /// Sends a line to the main process; false when there is none.
    pub fn send(&self, line: Value) -> bool {
        let input = lock(&self.input);
        input.as_ref().is_some_and(|input| input.send(line).is_ok())
    }

    /// Ends the main process: asks by ending its input, and insists when it takes too long.
    pub fn stop(&self) {
        self.stopping.store(true, SeqCst);
        *lock(&self.input) = None;
        let deadline = Instant::now() + TO_END;
        while self.is_running() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.end_child();
    }

    fn keep_running(&self, first: io::Result<Running>) {
        let mut restarts = Restarts::default();
        let mut spawned = first;
        loop {
            let started = Instant::now();
            let ran = spawned.and_then(|running| self.carry(running));
            *lock(&self.input) = None;
            self.tell(json!({ "type": "ended" }));
            if self.stopping.load(SeqCst) {
                return;
            }
            match ran {
                Ok(status) => eprintln!("The main process ended ({status})."),
                Err(error) => eprintln!("The main process could not be run: {error}"),
            }
            if !restarts.allow(started, Instant::now()) {
                self.notice(
                    "The app's main process keeps ending. Quit the app and start it again.",
                );
                return;
            }
            self.notice("The app's main process ended and is being started again.");
            thread::sleep(BEFORE_RESTART);
            spawned = self.spawn();
        }
    }

    fn spawn(&self) -> io::Result<Running> {
        let mut child = process::spawn()?;
        let output = process::take_output(&mut child)?;
        let input = Arc::new(process::take_input(&mut child)?);
        let secrets = answer_secrets(Arc::downgrade(&input));
        *lock(&self.input) = Some(input);
        *lock(&self.child) = Some(child);
        Ok(Running { output, secrets })
    }

    /// Reads what the main process writes, to its end. Gives how it ended, for the log.
    fn carry(&self, running: Running) -> io::Result<String> {
        for line in running.output.lines() {
            match FromMain::read(&line?) {
                Ok(FromMain::Secret(request)) => drop(running.secrets.send(request)),
                Ok(FromMain::ForWindow(line)) => self.tell(line),
                Ok(FromMain::Ready) => {}
                Err(error) => {
                    eprintln!("The main process wrote a line that is none of ours: {error}");
                }
            }
        }
        Ok(self.end_child())
    }

    fn notice(&self, message: &str) {
        let event = json!({ "type": "notice", "message": message });
        self.tell(json!({ "type": "event", "event": event }));
    }

    fn tell(&self, line: Value) {
        if let Some(channel) = lock(&self.window).as_ref() {
            // Fails only when the page is gone: the next one asks for the state.
            drop(channel.send(line));
        }
    }

    fn is_running(&self) -> bool {
        let mut child = lock(&self.child);
        child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Gives how it ended, for the log.
    fn end_child(&self) -> String {
        let Some(mut child) = lock(&self.child).take() else {
            return "asked to".to_owned();
        };
        // Its output has ended or its time is over. Fails only when it is gone.
        drop(child.kill());
        child
            .wait()
            .map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

/// The keychain's own thread: it may wait for the user, and it answers in the order it was asked. Its answers are
/// for the main process that asked, never for a later one.
fn answer_secrets(input: Weak<Input>) -> mpsc::Sender<SecretRequest> {
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for request in requests {
            let answer = keychain::answer(&request);
            if let Some(input) = input.upgrade() {
                drop(input.send(answer));
            }
        }
    });
    sender
}
