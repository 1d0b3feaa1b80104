//! Says which commands the window may ever be allowed to call. `capabilities/` allows them one by one.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&["relay_call", "relay_lines"]);
    let attributes = tauri_build::Attributes::new().app_manifest(commands);
    tauri_build::try_build(attributes).expect("the shell's manifest");
}
