"""What 1, 2 and 4 CPUs get done, running freely: in real time, so it says little on a busy host.

The same program runs under Linux, in the same kind of machine. What counts is how a rate grows with the
CPUs; where two of them do less than one, they wait for each other.
"""
import os

from benchlib.kernel import Figures, run

CPUS = (1, 2, 4)
ROWS = {
    "calls": "calls that do nothing",
    "faults_of_threads": "first touches, threads of a process",
    "faults_of_processes": "and a process each",
    "thread_create_join": "threads that end at once",
    "fork_exit_wait": "processes that end at once",
    "fork_exec_wait": "and with an exec",
    "pipe_pairs": "bytes there and back, in pairs",
    "futex_pairs": "wake-ups there and back, in pairs",
    "files_in_one_directory": "files made and removed in one place",
    "files_in_many_directories": "and each in its own directory",
}


def measure(cpus: int, linux: str | None = None) -> Figures:
    """How often a millisecond, by name."""
    return run(["--smp", str(cpus)], f"smp {cpus}", linux)


def cells(name: str, found: list[Figures]) -> str:
    """The rate of one CPU, and what the others make of it."""
    if any(name not in figures for figures in found):
        return f"{'-':>15}" + f"{'-':>6}" * (len(found) - 1)
    one = found[0][name]
    return f"{one:15,.1f}" + "".join(f"{figures[name] / one:6.2f}" for figures in found[1:])


def tables(short: bool, linux: str | None) -> None:
    counts = CPUS[:2] if short else CPUS
    kernels = {"Baton": None} | ({"Linux": linux} if linux else {})
    measured = {name: [measure(n, kernel) for n in counts] for name, kernel in kernels.items()}
    print(f"{'done in a millisecond':36}" + "".join(f"{name + ', 1 CPU':>15}" + "".join(f"{f'x{n}':>6}" for n in counts[1:])
                                                    for name in measured))
    for name, text in ROWS.items():
        print(f"{text:36}" + "".join(cells(name, found) for found in measured.values()))
    here, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"x2: on 2 CPUs so many times as many. This host has {here}"
          + "".join(f"; the guest's {n} share them" for n in counts if n > here)
          + (f"; it is busy (load {load:.0f})" if load > here else "") + ".")
