"""Lab 3: the scheduler. What is declared here: tools/labs/manifest.py.

What the guest measures is guest time: under icount it is the same in each run of a kernel.
"""
from manifest import Lab, OwnQuestion, Test, Values
from seeds import MASK, drawn, mix, number

WEIGHTS = [88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
           3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87,
           70, 56, 45, 36, 29, 23, 18, 15]  # of nice -20 to 19
WEIGHT_0 = WEIGHTS[20]
LATENCY, SLICE_MIN = 12000000, 1000000
FEW_INTERRUPTS = "count(irq_in()) < 300"  # a timer that is set to what has passed comes all the time
TASKS = 64  # of labs/3/kernel


def ratio(seed: int, cpus: int) -> Values:
    """In thousandths: the inverse of the weights, within 12 %."""
    exact = 1000 * WEIGHT_0 // WEIGHTS[20 + 1 + number(seed, 0) % 6]
    return {"ratio": (exact * 88 // 100, exact * 112 // 100)}


def clocks(seed: int, cpus: int) -> Values:
    paid = 0
    for i in range(400):
        weight = WEIGHTS[number(seed, 2000 + i) % 40]
        paid += sum((number(seed, k) >> 30 + k % 24) * WEIGHT_0 // weight for k in (2 * i, 2 * i + 1))
    return {"paid": paid & MASK}


def places(seed: int, cpus: int) -> Values:
    """Who is picked in which order: the last ones in are behind their equals."""
    again = range(0, TASKS, 3)
    queue = [(number(seed, i) % 60, i) for i in range(TASKS) if i not in again] + \
        [(number(seed, 1000 + i) % 60, i) for i in again]
    queue.sort(key=lambda entry: entry[0])
    return {"order": sum(mix(task + turn) for turn, (_, task) in enumerate(queue)) & MASK}


def slices(seed: int, cpus: int) -> Values:
    total = number(seed, 4)
    for waiting in range(1, 41):
        total += mix(max(LATENCY // (waiting + 1), SLICE_MIN) + waiting)
    return {"slices": total & MASK}


def loops(name: str) -> int:
    return drawn(name, 0, [2, 3, 4, 5, 6, 8])


def weight_and_time(name: str) -> tuple[int, int]:
    return drawn(name, 1, [64, 128, 256, 512]), drawn(name, 2, list(range(2, 20)))


LAB = Lab(
    number=3, title="The scheduler",
    goal="Take the CPU away by the timer, and share it fairly.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "labs/3/answers.txt"],
    questions=15,
    personal={
        "2": OwnQuestion(
            lambda name: f"LATENCY is 12 ms. {loops(name)} tasks loop, and nobody else wants to run. How long is "
            "a slice, in microseconds?", lambda name: LATENCY // 1000 // loops(name)),
        "4": OwnQuestion(
            lambda name: "A task of weight {} runs for {} ms. By how many ms does its virtual runtime "
            "grow?".format(*weight_and_time(name)),
            lambda name: weight_and_time(name)[1] * WEIGHT_0 // weight_and_time(name)[0]),
    },
    tests=[
        Test("loops_share", 15, "step 2: when the slice is over and others wait, ask for a reschedule; shares that are "
             "only a little off need step 5",
             lambda seed, cpus: {f"loop{i}": (200, 300) for i in range(4)}, limit=2, checks=[FEW_INTERRUPTS],
             hints={FEW_INTERRUPTS: "step 2: when a slice is over a new one begins, also if nobody else waits"}),
        Test("clocks", 10, "step 3: what fair_charge adds", clocks, append="lab=clocks:{seed}"),
        Test("places", 10, "step 3: where fair_insert ends its search", places, append="lab=places:{seed}",
             hints={"order": "step 3: who has the same clock as another one goes to the right of it"}),
        Test("weights", 10, "step 3: virtual time runs faster for a lighter task, and orders the tree",
             ratio, limit=2),
        Test("starts", 5, "step 4: where fair_set_start puts a task that was woken",
             lambda seed, cpus: {"starts": number(seed, 2)}, append="lab=starts:{seed}"),
        Test("takes_over", 10, "step 4: when fair_preempts says yes",
             lambda seed, cpus: {"takes_over": number(seed, 3)}, append="lab=takes_over:{seed}"),
        Test("sleeper_is_prompt", 10, "step 4: a woken task with less virtual time preempts",
             lambda seed, cpus: {"late_us": (0, 800)}, limit=2),
        Test("sleeper_hoards_nothing", 5, "step 4: who wakes up is at most a bit behind the others",
             lambda seed, cpus: {"other_waits_us": (0, 18000)}, limit=2),
        Test("slices", 5, "step 5: what fair_slice gives", slices, append="lab=slices:{seed}"),
        Test("turns_come_soon", 5, "step 5: the more tasks, the shorter each slice",
             lambda seed, cpus: {"gap_us": (0, 18000), "turns": (0, 200)}, limit=2,
             hints={"turns": "step 2: an interrupt before the slice is over ends no turn"}),
    ],
    places={
        "sched_timer_interrupt": "step 2, the slice is over",
        "fair_insert": "step 3, the place in the tree",
        "fair_charge": "step 3, the virtual time", "fair_set_start": "step 4, who was woken",
        "fair_preempts": "step 4, who preempts", "fair_slice": "step 5, the slice",
    },
    crash={
        "places": "step 3: a tree with wrong links is followed into nothing",
    },
    hang={
        "loops_share": "step 2: somebody has the CPU and never loses it",
        "places": "step 3: the order of the tree",
    },
)
