//! What threads work with, lent to one of them at a time and kept for the next.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Keeps what was lent and is not needed at the moment.
pub struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

/// Something lent, which goes back to its pool in the end.
pub struct Lent<'p, T> {
    pool: &'p Pool<T>,
    /// There until it goes back.
    item: Option<T>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self {
            idle: Mutex::default(),
        }
    }
}

impl<T> Pool<T> {
    /// Lends what came back last, or something new.
    pub fn lend(&self, make: impl FnOnce() -> T) -> Lent<'_, T> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Lent {
            pool: self,
            item: Some(idle.unwrap_or_else(make)),
        }
    }

    /// All that was ever lent.
    pub fn into_items(self) -> Vec<T> {
        self.idle
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item.as_ref().expect("there until it is dropped")
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.item.as_mut().expect("there until it is dropped")
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let mut idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.item.take());
    }
}
