//! `count memory [--million]`, `count guard [--write]`, `count hot PATH`: with an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use grantor_benches::{Options, guard, hot, keep, memory};

struct Counting;

static HELD: AtomicU64 = AtomicU64::new(0);
static MADE: AtomicU64 = AtomicU64::new(0);
/// 1 while allocations count.
static COUNTS: AtomicU64 = AtomicU64::new(0);

/// What a block takes of the heap: its header, and what rounding adds.
const fn block(size: usize) -> u64 {
    let size = (size + 8 + 15) & !15;
    if size < 32 { 32 } else { size as u64 }
}

// SAFETY: all work is left to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(block(layout.size()), Ordering::Relaxed);
        MADE.fetch_add(COUNTS.load(Ordering::Relaxed), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(block(layout.size()), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_add(block(size), Ordering::Relaxed);
        HELD.fetch_sub(block(layout.size()), Ordering::Relaxed);
        MADE.fetch_add(COUNTS.load(Ordering::Relaxed), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let options = Options { rounds: 1, live: 100_000, million: has("--million"), only: Vec::new() };
    match arguments.first().map(String::as_str) {
        Some("memory") => keep("memory", &options, memory::run(&options, &|| HELD.load(Ordering::Relaxed) as f64)),
        Some("guard") => {
            let made = |begins| COUNTS.store(u64::from(begins), Ordering::Relaxed);
            if !guard::run(has("--write"), made, &|| MADE.load(Ordering::Relaxed)) {
                std::process::exit(1);
            }
        }
        // What `guard` lets callgrind look at.
        Some("hot") => {
            hot::Hot::new(&arguments[1], guard::OPERATIONS).run(guard::OPERATIONS);
        }
        _ => {
            eprintln!("count memory [--million] | count guard [--write]");
            std::process::exit(2);
        }
    }
}
