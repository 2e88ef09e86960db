"""Lab 4: threads. What is declared here: tools/labs/manifest.py."""
from manifest import Explored, Lab, Test, Values
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


# The word of a task that ends, where ends_are_heard has it (words.h): a fault there is its write.
TID_WORD = 0x5550000000
ZERO_FIRST = f"last(fault(address={TID_WORD})) < first(futex_wake(a={TID_WORD}))"

LOCKS = r"user/ulib/thread/(lock|cond|mutex)\."  # whose lines a story tells

LAB = Lab(
    number=4, title="Threads",
    goal="Let tasks share their memory, put them to sleep on a word of it, and build a mutex on that.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "user/ulib/thread/*.[ch]",
           "labs/4/answers.txt"],
    questions=15,
    tests=[
        Test("shared_memory", 8, "step 2: with CLONE_VM the new task gets the same mm, counted",
             lambda seed, cpus: {"cells": sum(mix(number(seed, i) + i & MASK) for i in range(8)) & MASK}),
        Test("address_spaces", 4, "step 2: CLONE_VM alone decides, and each new user of an mm is one mm_get",
             lambda seed, cpus: {"spaces": number(seed, 26)}),
        Test("waiters_sleep", 8, "step 3: queue the waiter, and look at the word behind that",
             lambda seed, cpus: {"slept": number(seed, 7)}),
        Test("odd_words", 6, "step 3: uaccess_load gives 32 bits without a sign, or a negative number; after that one "
             "look without the lock tells a page that was missing from one that is none",
             lambda seed, cpus: {"odd": number(seed, 21)}),
        Test("queues_first", 5, "step 3: list_push_back, the fence, uaccess_load, all under the lock and in this order",
             lambda seed, cpus: {"queued": number(seed, 32)}),
        Test("wakes_the_right_ones", 6, "step 4: those with the same key, and no more than asked for",
             lambda seed, cpus: {"woken": 208}),
        Test("keys_and_bits", 6, "step 4: from the first waiter to the last, over those with another key or without a "
             "bit of the wake, until `count` are awake", lambda seed, cpus: {"keys": number(seed, 23)}),
        Test("ends_are_heard", 10, "step 4: a task that ends writes 0 and wakes who waits for that",
             lambda seed, cpus: {"results": sum(number(seed, i) >> 1 for i in range(300)) & MASK},
             checks=[ZERO_FIRST], hints={ZERO_FIRST: "step 4: put_user first, then futex_wake"}),
        Test("to_and_fro", 6, "steps 3 and 4: a wake that comes between looking and sleeping must not "
             "get lost", to_and_fro),
        Test("mutex_excludes", 6, "step 5: take it in one instruction; who leaves wakes one of the queue",
             lambda seed, cpus: {"sum": 5000}),
        Test("mutex_steps", 6, "step 5: one atomic instruction for each change of the word, and the wake behind it",
             lambda seed, cpus: {"steps": number(seed, 11)}),
        Test("condition_wakes", 6, "step 6: change the number, then wake; a broadcast wakes all", turns),
        Test("mutex_every_way", 3, "step 5: one atomic instruction for each change of the word",
             lambda seed, cpus: {"sum": sum(number(seed, 60 + i) for i in range(3)) & MASK},
             explored=Explored(
                 shows=LOCKS, deadlock="step 5: who waits marks the word HELD_QUEUED in the same step that finds it "
                 "held, and takes it as HELD_QUEUED; who drops it looks at what was there in the same step",
                 livelock="step 5: who waits sleeps while the word is HELD_QUEUED")),
        Test("condition_every_way", 3, "step 6: a waiter sleeps on the number that it has seen with the mutex held",
             lambda seed, cpus: {"items": number(seed, 63)},
             explored=Explored(
                 shows=LOCKS, deadlock="step 6: a waiter sleeps on the number that it has seen with the mutex held; a "
                 "signal changes the number first, and wakes then",
                 livelock="step 6: a waiter sleeps; it does not come back at once")),
        Test("limits", 2, "steps 5 and 6: hand `shared` and `until` on; ETIMEDOUT and EINVAL end a wait, EINTR does not",
             lambda seed, cpus: {"limits": number(seed, 31)}),
    ],
    places={
        "task_share": "step 2, the same mm", "futex_enqueue": "step 3, sleep", "wake_some": "step 4, wake",
        "task_release_mm": "step 4, the last word", "lock_try": "step 5, the mutex",
        "lock_drop_shared": "step 5, the mutex", "lock_wait": "step 5, the mutex",
    },
    words={"way_mutex": "the mutex", "way_cond": "the condition", "at_work+4": "the end of a thread",
           "at_work+8": "the end of a thread"},
    crash={
        "shared_memory": "step 2: an mm that is not counted is gone while others use it",
        "waiters_sleep": "step 3: a waiter that has gone, and is still in the list",
        "wakes_the_right_ones": "step 4: who was woken is in no list",
        "address_spaces": "step 2: one mm_get for each new user, of an mm that is there",
        "queues_first": "step 3: a waiter that does not sleep is taken out again, and the lock given back",
        "ends_are_heard": "step 4: put_user, for the word may be gone",
    },
    hang={
        "waiters_sleep": "step 3: first into the list, then look",
        "odd_words": "step 3: a word that cannot be read, twice: -EFAULT",
        "wakes_the_right_ones": "step 4: does wake_some find it?",
        "ends_are_heard": "step 4: the last word, and its wake",
        "mutex_excludes": "step 5: who leaves a lock wakes one",
        "condition_wakes": "step 6: the number first, then the wake",
    },
)
