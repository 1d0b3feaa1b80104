//! The main process as an operating system process: found beside the shell, its input and output piped.

use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

const PROGRAM: &str = "claude-relay-desktop-main";

/// Starts the main process. Its standard error is the shell's own: that is the app's log.
pub fn spawn() -> io::Result<Child> {
    command(program()?).spawn()
}

fn command(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // With it Node sends its requests through HTTP_PROXY and HTTPS_PROXY: those to a relay on http, which is one in
    // this network, would pass the proxy in clear text, with the token.
    command.env_remove("NODE_USE_ENV_PROXY");
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command
}

pub fn take_output(child: &mut Child) -> io::Result<BufReader<ChildStdout>> {
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(BufReader::new(stdout))
}

/// Gives where to put lines for the main process. Dropping it ends the main process's input.
pub fn take_input(child: &mut Child) -> io::Result<mpsc::Sender<Value>> {
    let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (sender, lines) = mpsc::channel();
    // A thread of its own: a main process that is slow to read must not hold up the window.
    thread::spawn(move || write_lines(stdin, &lines));
    Ok(sender)
}

fn write_lines(mut stdin: ChildStdin, lines: &mpsc::Receiver<Value>) {
    for line in lines {
        if stdin.write_all(format!("{line}\n").as_bytes()).is_err() {
            return;
        }
    }
}

fn program() -> io::Result<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_process_does_not_inherit_that_requests_go_through_a_proxy() {
        let command = command(PathBuf::from(PROGRAM));
        let removed = command
            .get_envs()
            .any(|(name, value)| name == "NODE_USE_ENV_PROXY" && value.is_none());
        assert!(removed);
    }
}
