//! Where the window may go: nowhere but the app's own pages.

use tauri::Url;

/// Whether an address is the app's own: Tauri serves it as `tauri:` on Linux and macOS, as `http:` on Windows.
pub fn is_own_page(url: &Url) -> bool {
    let own = if cfg!(windows) {
        ("http", "tauri.localhost")
    } else {
        ("tauri", "localhost")
    };
    (url.scheme(), url.host_str()) == (own.0, Some(own.1)) && url.port().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(address: &str) -> bool {
        is_own_page(&address.parse().expect("an address"))
    }

    #[test]
    #[cfg(not(windows))]
    fn only_the_apps_own_pages_are_let_in() {
        assert!(own("tauri://localhost/index.html#top"));
        for address in [
            "https://example.com/",
            "http://tauri.localhost/",
            "http://localhost/",
            "tauri://evil.example/",
            "tauri://localhost.evil.example/",
            "tauri://localhost:81/",
            "file:///etc/passwd",
            "data:text/html,hello",
            "about:blank",
        ] {
            assert!(!own(address), "{address}");
        }
    }
}
