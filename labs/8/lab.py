"""Lab 8: prove your lock. What is declared here: tools/labs/manifest.py."""
from manifest import Explored, Lab, OwnQuestion, Test, Values
from seeds import MASK, drawn, number


def value(key: str, *indices: int):
    """The sum of these numbers of the seed."""
    return lambda seed, cpus: {key: sum(number(seed, index) for index in indices) & MASK}


def items(*which: tuple[int, int]):
    """ways.h, item_of: of whom, and which."""
    return lambda seed, cpus: {"items": sum(number(seed, 50 + who) >> 8 << 4 | item for who, item in which) & MASK}


TICKET = Explored(
    deadlock="step 2: who waits sleeps while `serving` is what it has just seen there; who gives changes `serving` "
    "first and wakes all then",
    livelock="step 2: who waits sleeps in word_wait, with what it has just seen in `serving`, until that is the number "
    "that it drew from `next`, which comes round to 0")
SEMAPHORE = Explored(
    deadlock="step 3: count yourself among the sleepers before word_wait, and sleep while `count` is 0; up adds first, "
    "and wakes one whenever there are sleepers",
    livelock="step 3: sleep while `count` is 0")
BUFFER = Explored(
    deadlock="step 4: nobody waits for room or for items while it has the lock; each put is one up of `items`, each "
    "take one of `room`",
    livelock="step 4: down and up, and the lock, are all the waiting that there is")
RW = Explored(
    deadlock="step 5: a writer says that it waits before word_wait, which gets the number of readers that it has seen; "
    "the reader that makes it 0 wakes it",
    livelock="step 5: all come in by the door, one behind the other; a writer keeps it until it is out again")


# Questions about one's own numbers.

def line(name: str) -> tuple[int, int]:
    """next and serving of a ticket lock whose numbers have just begun anew."""
    return drawn(name, 1, list(range(3, 40))), (1 << 32) - drawn(name, 2, list(range(2, 30)))


def counts(name: str) -> tuple[int, int, int]:
    return drawn(name, 3, [2, 3, 4, 5]), drawn(name, 4, list(range(14, 20))), drawn(name, 5, list(range(3, 8)))


def times(name: str) -> int:
    return drawn(name, 6, list(range(12, 60)))


LAB = Lab(
    number=8, title="Prove your lock",
    goal="Build four locks on futexes, and have every schedule with one preemption tried on them.",
    files=["user/locks/*.c", "labs/8/answers.txt"],
    questions=15,
    personal={
        "2": OwnQuestion(lambda name: "A ticket lock has next = {} and serving = {}. How many threads wait?".format(
            *line(name)), lambda name: (line(name)[0] - line(name)[1] - 1) % (1 << 32)),
        "3": OwnQuestion(lambda name: "A semaphore begins with {}. {} threads have called down, and {} have called up. "
                         "How many sleep?".format(*counts(name)),
                         lambda name: counts(name)[1] - counts(name)[0] - counts(name)[2]),
        "4": OwnQuestion(lambda name: f"Two threads add 1 to a counter that is 0, {times(name)} times each, without a "
                         "lock: load, add, store. The CPU is taken once. What is the smallest number that the counter "
                         "can have at the end?", times),
    },
    tests=[
        Test("ticket_excludes", 10, "step 2: draw your number in one atomic step, and wait until it is called",
             value("sum", 0, 1, 2), explored=TICKET),
        Test("ticket_in_order", 8, "step 2: whose number it is goes on, and nobody else; behind 4294967295 comes 0",
             value("order", 41), explored=TICKET),
        Test("semaphore_counts", 8, "step 3: look and take in one atomic step; who was woken looks again, for somebody "
             "may have been faster", value("counted", 42), explored=SEMAPHORE),
        Test("semaphore_wakes", 10, "step 3: each up wakes one as long as there are sleepers; who sleeps counts "
             "itself, and only itself", value("woken", 43), explored=SEMAPHORE),
        Test("buffer_takes_in", 8, "step 4: the place is found, filled and left behind with the lock held; the other "
             "side hears of it after that", items((0, 1), (1, 1)), explored=BUFFER),
        Test("buffer_gives_out", 8, "step 4: take the item out before you tell that its place is free",
             items((0, 0), (0, 1), (0, 2)), explored=BUFFER),
        Test("rw_excludes", 8, "step 5: a writer holds the door, and waits until nobody reads",
             value("written", 0, 1, 2), explored=RW),
        Test("rw_shares", 4, "step 5: a reader gives the door back as soon as it is counted", value("shared", 46),
             explored=RW),
        Test("rw_last_reader", 4, "step 5: `readers` changes in one atomic step; a writer looks again until it is 0",
             value("left", 45), explored=RW),
        Test("rw_in_turn", 5, "step 5: readers come by the door, too: behind a writer who waits there",
             value("turns", 47), explored=RW),
        Test("atomic_steps", 4, "steps 2, 3 and 5: __atomic functions for each word that two threads may touch",
             value("atomic", 39)),
        Test("alone_without_calls", 4, "steps 2 to 5: where nobody waits there is nothing to ask of the kernel",
             value("alone", 49)),
        Test("waiters_sleep", 4, "steps 2 to 5: who waits sleeps in word_wait, with the value that it has just seen",
             value("slept", 44)),
    ],
    places={
        "ticket_take": "step 2, the ticket lock", "ticket_give": "step 2, the ticket lock",
        "semaphore_down": "step 3, the semaphore", "semaphore_up": "step 3, the semaphore",
        "buffer_put": "step 4, the buffer", "buffer_take": "step 4, the buffer",
        "read_take": "step 5, the read-write lock", "read_give": "step 5, the read-write lock",
        "write_take": "step 5, the read-write lock", "write_give": "step 5, the read-write lock",
    },
    words={
        "ticket+4": "ticket.serving", "semaphore": "semaphore.count", "buffer": "buffer.room",
        "buffer+8": "buffer.items", "buffer+20": "buffer.lock", "rw+4": "the door", "rw+8": "rw.readers",
        "both": "the other reader", "at_work": "the end of a thread", "at_work+4": "the end of a thread",
    },
    crash={
        "ticket_excludes": "step 2: two numbers, and nothing that points anywhere",
        "buffer_takes_in": "step 4: `in` and `out` are below `size`",
    },
    hang={
        "waiters_sleep": "steps 2 to 5: does whoever leaves wake those who wait?",
    },
)
