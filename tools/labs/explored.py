"""A test of a lab that is run by many schedules: what the explorer says, as a verdict with its story.

The test program runs once for each schedule (docs/explore.md). A run in which nothing is wrong ends with
the status that only the finished test knows, as does the explorer when no run was wrong.
"""
import re
import secrets
import shlex
import threading
from pathlib import Path

import crash
import guest
from explorelib import engine, program, story, watch
from ktracelib import format as ktrace
from launch import host
from manifest import Lab, Test
from result import FAIL, HARNESS, OK, TIMEOUT, Result

SCHEDULE = re.compile(r"[0-9k@,-]+")
OUTPUT_MAX = 16 << 20  # bytes: the steps of a run that does not end are many


def test_words(lab: Lab, test: Test, seed: int) -> list[str]:
    """What a learner tells tools/explore to run it."""
    return ["--add", f"build/labs/{lab.number}/tests", "--", "tests", test.name, str(seed)]


def by_hand(lab: Lab, test: Test, seed: int, schedule: str) -> str:
    return shlex.join(["tools/explore", "--replay", schedule, *test_words(lab, test, seed)])


def in_gdb(lab: Lab, test: Test, seed: int, schedule: str) -> str:
    return f"make gdb ADD=build/labs/{lab.number}/tests EXPLORE={schedule} CMD='tests {test.name} {seed}'"


class Exploration:
    """One test, explored once, and its failing schedule again for the trace."""

    def __init__(self, root: Path, lab: Lab, test: Test, seed: int, stop: threading.Event) -> None:
        self.root, self.lab, self.test, self.seed, self.stop = root, lab, test, seed, stop
        self.evidence = guest.empty_evidence(root, lab, test)
        self.nonce = secrets.randbits(64)
        self.code = guest.private_code(self.nonce, [int(value) for value in test.expected(seed, 1).values()])
        self.program = program.read(str(root / f"build/labs/{lab.number}/tests"), test.explored.shows)
        self.watches = watch.find(self.program)

    def command(self, evidence: Path, options: list[str], more: list[str]) -> list[str]:
        command = ["labtest", self.test.name, str(self.seed), f"{self.nonce:016x}", "1"]
        return [str(self.root / "tools/run"), "--icount", "--mem", str(self.test.memory), "--log",
                str(evidence / "log"), "--evidence", str(evidence), *more,
                *engine.options_of_run(
                    engine.Guest(self.program, [f"build/labs/{self.lab.number}/tests:/bin/labtest"], command,
                                 watches=self.watches),
                    ["--limit", str(self.test.explored.instructions), "--passes", str(self.code), *options])]

    def search(self) -> guest.Ended:
        explored = self.test.explored
        command = self.command(self.evidence, ["--preemptions", str(explored.preemptions), "--samples",
                                               str(explored.samples), "--seed", str(self.seed & 0xffffffff)], [])
        (self.evidence / "command.txt").write_text(shlex.join(command) + "\n")
        return guest.start(command, self.root, self.evidence, self.stop, OUTPUT_MAX)

    def trace(self, schedule: str) -> None:
        """That schedule once more, for the timeline."""
        again = self.evidence / "again"
        again.mkdir()
        guest.start(self.command(again, [*engine.replayed(schedule), "--once"],
                                 ["--trace", str(self.evidence / "trace.ktr")]), self.root, again, self.stop)


    def in_words(self, text: str) -> str:
        """Addresses of the lab's variables, as its handout names them."""
        for address, words in self.lab.words.items():
            text = text.replace(f"waits for {address} (a futex)", f"waits for {words}")
        return text


def parsed(output: str) -> engine.Result:
    """What the explorer said: all of its lines. Others are nobody's."""
    result = engine.Result()
    for line in output.splitlines():
        try:
            engine.take(result, line)
        except (engine.MachineFailed, TypeError):
            pass
    return result


def accused(exploration: Exploration, result: engine.Result, steps: list[story.Step]) -> guest.Judged:
    """The verdict on the run that failed."""
    lab, test, run = exploration.lab, exploration.test, result.run
    report = run["output"]
    expected, seen, hint = (guest.note(report, word) for word in ("expected", "seen", "next"))
    if run["verdict"] == "deadlock":
        waiting = exploration.in_words("\n".join(story.waiting(steps)))
        return guest.Judged(FAIL, "that somebody can go on", f"deadlock: nobody can go on\n{waiting}",
                            test.explored.deadlock)
    if run["verdict"] == "livelock":
        return guest.Judged(FAIL, "that the test runs to its end", "livelock: it is not at its end after "
                            f"{run['instructions']:,} instructions\n{standing(steps)}", test.explored.livelock)
    if run["verdict"] == "leak":
        return guest.Judged(FAIL, "what a run takes it gives back", story.verdict(run, []))
    if run["signal"]:
        where, found = crash.program(exploration.root, lab, report)
        died = f"the test program died by {crash.name_of(run['signal'])}"
        return guest.Judged(FAIL, expected or "that the test runs to its end",
                            "; ".join(text for text in (seen, died, where) if text),
                            crash.step_of(found, lab) or hint or test.crash, crash.described(found[:1]), "crash")
    if not seen:
        return guest.Judged(FAIL, "the exit status that only the finished test knows", f"status {run['status']}")
    return guest.Judged(FAIL, expected, seen, hint)


def standing(steps: list[story.Step]) -> str:
    """Where each thread was last, when there is no end."""
    last = {step.task: step for step in steps}
    return "\n".join(f"{story.name(task)} is at {step.places[-1]}  {step.places[-1].text()}"
                     for task, step in sorted(last.items()) if step.places and step.ends != "ends")


def judge(exploration: Exploration, run: guest.Ended) -> tuple[guest.Judged, engine.Result, list[story.Step]]:
    lab, test, result = exploration.lab, exploration.test, parsed(run.output)
    levels = result.coverage.get("covered", [])
    if result.run.get("failed"):
        try:
            if not SCHEDULE.fullmatch(result.run["schedule"]):
                raise ValueError
            reasons = ktrace.Elf(host.KERNEL).strings("wait_reason_names")
            steps = story.steps(result, exploration.program, reasons, exploration.watches)
            return accused(exploration, result, steps), result, steps
        except (AttributeError, KeyError, TypeError, ValueError):  # somebody else has written there
            return guest.Judged(FAIL, "the report of an explorer", "one that makes no sense"), result, []
    if run.status == exploration.code and len(levels) > 1 and not guest.machine_verdict(run):
        return guest.Judged(OK), result, []
    died = guest.died(exploration.root, lab, test, run, exploration.evidence / "trace.ktr", guest.whole_report(run))
    by = engine.SCHEDULE.search(run.log)
    if died and by:
        died.seen += f"; by the schedule {by[2] or '-'}"
    said = [line for line in (run.errors.strip() or run.output.strip()).splitlines() if line[:1] != " "]
    return died or guest.Judged(FAIL, "that all schedules are run",
                                said[-1] if said else f"status {run.status}"), result, []


def run_test(root: Path, lab: Lab, test: Test, seed: int, stop: threading.Event) -> Result:
    exploration = Exploration(root, lab, test, seed, stop)
    judged, result, steps = judge(exploration, exploration.search())
    schedule, found = result.run.get("schedule", ""), judged.verdict == FAIL and steps
    if found:
        exploration.trace(schedule)
    if judged.verdict == FAIL:
        guest.drop_core(exploration.evidence)
    told = guest.result_of(exploration.evidence, root, lab, test, judged,
                           f"tools/grade --lab {lab.number} -k {test.name} --seed {seed}")
    if found:
        tried, taken = result.coverage.get("schedules", 1), sum(step.ends == "taken" for step in steps)
        told.story = "\n".join([f"found after {tried:,} schedule{'s' * (tried != 1)}, with {taken} "
                                f"preemption{'s' * (taken != 1)}",
                                *(exploration.in_words(line) for line in story.tell(steps))])
        by = [] if result.run["verdict"] == "livelock" else [by_hand(lab, test, seed, schedule)]  # it takes its time
        told.look = "\n".join([*by, in_gdb(lab, test, seed, schedule), told.look])
    return told
