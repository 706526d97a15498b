//! Independent work side by side, one thread each: a second thread inside a step gains 1.2 x, a
//! second run beside it nearly 2 x.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// The results of `work` on every item, in order; at most `threads` at a time. After the first
/// error nothing new is begun, and that error is the last result.
pub(super) fn side_by_side<T: Sync, R: Send, E: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Vec<Result<R, E>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let worker = || {
        while let Some((index, item)) = take(&next, items) {
            let result = alone(|| work(item));
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(worker);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

/// Runs `work` with a thread pool of one thread.
pub(crate) fn alone<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        // Without a pool of its own the work shares the process's.
        Err(_) => work(),
    }
}

/// The items from another beginning in every process, so that several processes do not wait for each other.
pub(super) fn rotated<T>(items: &[T]) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    let places = items.len().max(1);
    items.rotate_left(std::process::id() as usize % places);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        let results = side_by_side(2, &items, |item| Ok::<_, ()>(item * item));
        assert!(results.into_iter().zip(&items).all(|(result, item)| result == Ok(item * item)));
    }

    #[test]
    fn nothing_new_begins_after_an_error() {
        let begun = AtomicUsize::new(0);
        let items: Vec<usize> = (0..100).collect();
        let results = side_by_side(1, &items, |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 3 { Err("stop") } else { Ok(()) }
        });
        assert_eq!(begun.load(Ordering::Relaxed), 4);
        assert_eq!(results.last(), Some(&Err("stop")));
    }

    #[test]
    fn each_piece_of_work_has_one_thread() {
        let results = side_by_side(2, &[(); 4], |()| Ok::<_, ()>(rayon::current_num_threads()));
        assert_eq!(results, vec![Ok(1); 4]);
    }
}
