//! The desktop app's shell: one window, the main process beside it, the keychain, and a guard at the window's
//! door. It carries what window and main process say to each other and understands none of it.

#![cfg_attr(windows, windows_subsystem = "windows")]

mod keychain;
mod lock;
mod navigation;
mod process;
mod restarts;
mod sidecar;
mod wire;

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::ipc::Channel;
use tauri::webview::NewWindowResponse;
use tauri::{App, AppHandle, Manager, RunEvent, State, WebviewWindowBuilder, WindowEvent};

use sidecar::Sidecar;

#[tauri::command]
fn relay_call(
    sidecar: State<'_, Arc<Sidecar>>,
    id: u64,
    method: String,
    params: Value,
) -> Result<(), &'static str> {
    // Not async: calls go in the order they were made.
    let call = json!({ "type": "call", "id": id, "method": method, "params": params });
    if sidecar.send(call) {
        Ok(())
    } else {
        Err("The app's main process is not running.")
    }
}

#[tauri::command]
fn relay_lines(sidecar: State<'_, Arc<Sidecar>>, channel: Channel<Value>) {
    sidecar.listen(channel);
}

fn main() {
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![relay_call, relay_lines])
        .manage(Sidecar::start())
        .setup(|app| Ok(open_window(app)?))
        .build(tauri::generate_context!())
        .expect("the app could not start")
        .run(on_run_event);
}

fn open_window(app: &App) -> tauri::Result<()> {
    let config = &app.config().app.windows[0];
    WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(navigation::is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    Ok(())
}

fn on_run_event(app: &AppHandle, event: RunEvent) {
    let sidecar = app.state::<Arc<Sidecar>>();
    match event {
        RunEvent::WindowEvent {
            event: WindowEvent::Focused(true),
            ..
        } => {
            sidecar.send(json!({ "type": "woke" }));
        }
        RunEvent::Exit => sidecar.stop(),
        _ => {}
    }
}
