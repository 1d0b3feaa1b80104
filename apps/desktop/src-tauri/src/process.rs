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
    let mut command = Command::new(program()?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command.spawn()
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
