"""Lab 2: the switch. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, Test
from seeds import MASK, mix, number


def registers(seed: int, cpus: int) -> dict[str, int]:
    # The boot's stack has 100 turns; the others' last has not come back when it reports.
    total = sum(number(seed, member << 32 | turn << 8 | i) for member in range(9)
                for turn in range(99 if member else 100) for i in range(6))
    return {"registers": total & MASK, "seen": number(seed, 2)}


def picture(seed: int, cpus: int) -> dict[str, int]:
    order = (5, 4, 3, 2, 0, 1)  # r15 r14 r13 r12 rbx rbp, of rbx rbp r12 r13 r14 r15
    return {"words": sum(number(seed, turn << 8 | order[i]) * (i + 1)
                         for turn in range(20) for i in range(6)) & MASK, "seen": number(seed, 2)}


def steps(seed: int, cpus: int) -> dict[str, int]:
    return {"steps": sum(number(seed, i) for i in range(10)) & MASK, "seen": number(seed, 2)}


def floating(seed: int, cpus: int) -> dict[str, int]:
    return {"xmm": 2 * sum(number(seed, turn << 8 | i) for turn in range(20) for i in range(32)) & MASK,
            "seen": number(seed, 2)}


def children(seed: int, cpus: int) -> dict[str, int]:
    digests = [sum(number(seed, i << 8 | j) * (j + 1) for j in range(11)) for i in range(50)]
    return {"children": sum(mix(digest + i & MASK) for i, digest in enumerate(digests)) & MASK}


def ring(seed: int, cpus: int) -> dict[str, int]:
    token = number(seed, 0)
    for _ in range(5):
        for i in range(1, 61):
            token = mix(token ^ number(seed, i))
    return {"token": token}


def sums(seed: int, cpus: int) -> dict[str, int]:
    total = 0
    for i in range(3):
        value = number(seed, i)
        for _ in range(STEPS):
            value = mix(value)
        total += value
    return {"sums": total & MASK}


STEPS = 150000

LAB = Lab(
    number=2, title="The switch",
    goal="Write the one page of assembly that hands a CPU from one task to the next.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "labs/2/answers.txt"],
    questions=10,
    tests=[
        Test("first_task", 10, "step 2: what must be on the stack of a task that has never run?",
             lambda seed, cpus: {"first": number(seed, 1)}),
        Test("new_tasks", 10, "step 2: switch_first_frame puts the frame right below the trap frame",
             children),
        Test("picture", 15, "steps 2 and 3: seven words, as the picture has them", picture,
             append="lab=picture:{seed}"),
        Test("registers", 15, "step 3: push and pop the six registers in exactly opposite order",
             registers, append="lab=registers:{seed}"),
        Test("steps", 15, "step 3: the switch is in registers and on two stacks, and nowhere else", steps,
             append="lab=steps:{seed}"),
        Test("floating", 5, "step 3: switch_to leaves the FPU's registers alone", floating,
             append="lab=floating:{seed}"),
        Test("dead_are_buried", 10, "step 3: switch_to returns prev, and in the new task",
             lambda seed, cpus: {"buried": number(seed, 3)}, memory=64),
        Test("ring", 5, "step 3: is rsp saved to prev and loaded from next, in this order?", ring,
             cpus=2),
        Test("preempted", 5, "steps 2 and 3: a task that was interrupted switches like any other",
             sums),
    ],
    places={
        "switch_first_frame": "step 2, the first frame", "switch_to": "step 3, the switch",
        "switch_begin": "step 3, the switch", "switch_swapped": "step 3, the switch: where it loads",
        "task_first_switch": "step 2: the first frame leads here",
    },
    crash={
        "first_task": "step 2: the first frame",
        "registers": "step 3: push and pop in exactly opposite order",
        "ring": "step 3: rsp saved to prev, loaded from next",
    },
    hang={
        "first_task": "step 2: a first task that never begins",
        "ring": "step 3: a task that the switch loses never runs again",
    },
)
