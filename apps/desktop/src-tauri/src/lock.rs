use std::sync::{Mutex, MutexGuard, PoisonError};

/// A thread that panicked left nothing half done here: each lock guards a single value.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
