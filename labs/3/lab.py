"""Lab 3: the scheduler. What is declared here: tools/labs/manifest.py.

What the guest measures is guest time: under icount it is the same in each run of a kernel.
"""
from manifest import Lab, Test, Values
from seeds import number

WEIGHTS = [1024, 820, 655, 526, 423, 335, 272]  # of nice 0 to 6


def ratio(seed: int, cpus: int) -> Values:
    """In thousandths: the inverse of the weights, within 12 %."""
    exact = 1000 * WEIGHTS[0] // WEIGHTS[1 + number(seed, 0) % 6]
    return {"ratio": (exact * 88 // 100, exact * 112 // 100)}


LAB = Lab(
    number=3, title="The scheduler",
    goal="Take the CPU away by the timer, and share it fairly.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "labs/3/answers.txt"],
    questions=15,
    tests=[
        Test("loops_share", 25, "step 2: when the slice is over and others wait, ask for a reschedule; shares that are "
             "only a little off need step 5",
             lambda seed, cpus: {f"loop{i}": (200, 300) for i in range(4)}, limit=2),
        Test("weights", 20, "step 3: virtual time runs faster for a lighter task, and orders the tree",
             ratio, limit=2),
        Test("sleeper_is_prompt", 15, "step 4: a woken task with less virtual time preempts",
             lambda seed, cpus: {"late_us": (0, 800)}, limit=2),
        Test("sleeper_hoards_nothing", 15, "step 4: who wakes up is at most a bit behind the others",
             lambda seed, cpus: {"other_waits_us": (0, 18000)}, limit=2),
        Test("turns_come_soon", 10, "step 5: the more tasks, the shorter each slice",
             lambda seed, cpus: {"gap_us": (0, 18000)}, limit=2),
    ],
    places={
        "sched_timer_interrupt": "step 2, the slice is over", "fair_enqueue": "step 3, the place in the tree",
        "fair_charge": "step 3, the virtual time", "set_start": "step 4, who was woken",
        "fair_preempts": "step 4, who preempts", "fair_slice": "step 5, the slice",
    },
    crash={
        "loops_share": "step 3: a tree with wrong links is followed into nothing",
    },
    hang={
        "loops_share": "step 2: somebody has the CPU and never loses it; step 3: the order of the tree",
    },
)
