// Threads, channels, locks and a condition variable of Rust's standard library.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::time::Duration;
use std::{panic, process, thread};

fn main() {
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(i * i).unwrap())
        })
        .collect();
    drop(sender);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut squares: Vec<i32> = receiver.iter().collect();
    squares.sort();
    println!("{squares:?}");

    let (sum, count, barrier) = (Mutex::new(0), AtomicU64::new(0), Barrier::new(3));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..1000 {
                    *sum.lock().unwrap() += 1;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} {}", sum.lock().unwrap(), count.load(Ordering::Relaxed));

    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    let ready = pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready).unwrap();
    println!("ready {ready}");
    drop(ready);
    thread.join().unwrap();
    let (_guard, late) = pair.1.wait_timeout(pair.0.lock().unwrap(), Duration::from_millis(5)).unwrap();
    println!("late {}", late.timed_out());

    let table = RwLock::new(vec![1, 2]);
    thread::scope(|scope| scope.spawn(|| table.write().unwrap().push(3)).join().unwrap());
    println!("{:?}", table.read().unwrap());
    panic::set_hook(Box::new(|_| {}));
    println!("panicked {}", thread::spawn(|| panic!("on purpose")).join().is_err());
    let child = process::Command::new("sh").args(["-c", "cat; exit 3"]).stdin(process::Stdio::null()).status();
    println!("{:?}", child.unwrap().code());
    process::exit(4);
}
