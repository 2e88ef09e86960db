"""Lab 4: threads. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, Test, Values
from seeds import MASK, mix, number


def to_and_fro(seed: int, cpus: int) -> Values:
    token = 0
    for turn in range(2000):
        token = mix(token + turn % 2 & MASK)
    return {"token": token, "cpu_ms": (0, 60)}


def turns(seed: int, cpus: int) -> Values:
    total = 0
    for turn in range(300):
        total = mix(total + turn % 6 & MASK)
    return {"turns": total}


LAB = Lab(
    number=4, title="Threads",
    goal="Let tasks share their memory, put them to sleep on a word of it, and build a mutex on that.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "user/ulib/thread/*.[ch]",
           "labs/4/answers.txt"],
    questions=15,
    tests=[
        Test("shared_memory", 15, "step 2: with CLONE_VM the new task gets the same mm, counted",
             lambda seed, cpus: {"cells": sum(mix(number(seed, i) + i & MASK) for i in range(8)) & MASK}),
        Test("waiters_sleep", 15, "step 3: queue the waiter, and look at the word behind that",
             lambda seed, cpus: {"slept": number(seed, 7)}),
        Test("wakes_the_right_ones", 10, "step 4: those with the same key, and no more than asked for",
             lambda seed, cpus: {"woken": 208}),
        Test("ends_are_heard", 10, "step 4: a task that ends writes 0 and wakes who waits for that",
             lambda seed, cpus: {"results": sum(number(seed, i) >> 1 for i in range(300)) & MASK}),
        Test("to_and_fro", 10, "steps 3 and 4: a wake that comes between looking and sleeping must not "
             "get lost", to_and_fro),
        Test("mutex_excludes", 15, "step 5: take it in one instruction; who leaves wakes one of the queue",
             lambda seed, cpus: {"sum": 5000}),
        Test("condition_wakes", 10, "step 6: change the number, then wake; a broadcast wakes all", turns),
    ],
    places={
        "share": "step 2, the same mm", "enter": "step 3, sleep", "wake_some": "step 4, wake",
        "task_release_mm": "step 4, the last word", "lock_try": "step 5, the mutex",
        "lock_drop_shared": "step 5, the mutex", "lock_wait": "step 5, the mutex",
    },
    crash={
        "shared_memory": "step 2: an mm that is not counted is gone while others use it",
        "waiters_sleep": "step 3: a waiter that has gone, and is still in the list",
        "wakes_the_right_ones": "step 4: who was woken is in no list",
    },
    hang={
        "waiters_sleep": "step 3: first into the list, then look",
        "wakes_the_right_ones": "step 4: does wake_some find it?",
        "ends_are_heard": "step 4: the last word, and its wake",
        "mutex_excludes": "step 5: who leaves a lock wakes one",
        "condition_wakes": "step 6: the number first, then the wake",
    },
)
