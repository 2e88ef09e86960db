"""The grading of one tree: all of its tests and questions, each with a verdict, whatever happens.

What goes wrong on our side is HARNESS, with the reason; the rest is graded all the same.
"""
import os
import shutil
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import answers
import build
import explored
import guest
import own
from launch.host import Ended
from manifest import Lab, Test
from result import FAIL, HARNESS, NOT_YOURS, OK, TIMEOUT, Result


class Grading:
    def __init__(self, root: Path, lab: Lab, only: str | None, seed: int, cpus: int) -> None:
        self.root, self.lab, self.only, self.seed, self.cpus = root, lab, only, seed, cpus
        self.results: list[Result] = []
        self.notes: list[str] = []  # of files that were not taken
        self.answers_path = f"labs/{lab.number}/answers.txt"

    def nothing(self, why: str) -> None:
        """Nothing was handed in that could be graded."""
        self.results = [Result(name, points, 0, FAIL, "the files of the lab, in their folders", why,
                               "hand in the whole tree, as it was handed out")
                        for name, points in self.lab.points().items() if self.wanted(name)]

    def wanted(self, name: str) -> bool:
        return self.only in (None, name)

    def harness(self, why: str, name: str | None = None) -> None:
        """The verdict on `name`, or on all that have none yet."""
        done = {result.name for result in self.results}
        self.results += [Result(other, points, 0, HARNESS, "", why, NOT_YOURS)
                         for other, points in self.lab.points().items()
                         if self.wanted(other) and other not in done and name in (None, other)]

    def guarded(self, what: Callable[[], object], name: str | None = None) -> bool:
        """Do it. False: it has thrown something, and that is the verdict."""
        try:
            what()
            return True
        except (Ended, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit, too: lab.py is anybody's
            if isinstance(error, shutil.Error):  # of a whole tree: the first says enough
                error = OSError(error.args[0][0][-1])
            message = " ".join(str(error).split()) or "no message"
            self.harness(f"{type(error).__name__}: {message}", name)
            self.keep(traceback.format_exc())
        return False

    def keep(self, text: str) -> None:
        """For whoever mends it."""
        try:
            folder = self.root / f"build/grade/{self.lab.number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "harness.txt").write_text(text, errors="backslashreplace")
        except OSError:
            pass

    def own_trace(self) -> None:
        given, wrong = answers.read(self.root / self.answers_path)
        self.results += own.grade(self.root, self.lab.own, given, wrong or self.answers_path, self.only)

    def questions(self) -> None:
        self.results.append(answers.grade(self.root, self.lab))

    def tests(self) -> None:
        tests = [test for test in self.lab.tests if self.wanted(test.name)]
        broken = build.build(self.root, self.lab) if tests else None
        if broken:
            self.results += [Result(test.name, test.points, 0, broken[0], "a tree that builds", broken[1],
                                    "make the build work: `make all` shows all errors") for test in tests]
        else:
            self.guests(tests)

    def guests(self, tests: list[Test]) -> None:
        """A guest a test, as many at once as there are CPUs; what comes of it is as if one came after the other."""
        pool, stop, hangs = ThreadPoolExecutor(len(os.sched_getaffinity(0))), threading.Event(), 0
        try:
            runs = [pool.submit(self.run_test, test, stop) for test in tests]
            for test, run in zip(tests, runs):
                if hangs >= 2:
                    self.results.append(Result(test.name, test.points, 0, TIMEOUT, "",
                                               "not run: two tests before it hung the whole machine", early="hang"))
                    continue
                self.guarded(lambda: self.results.append(run.result()), test.name)
                hangs += self.results[-1].verdict == TIMEOUT and "hangs" in self.results[-1].seen
                if hangs >= 2:
                    stop.set()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def run_test(self, test: Test, stop: threading.Event) -> Result:
        if test.explored:
            return explored.run_test(self.root, self.lab, test, self.seed, stop)
        return guest.run_test(self.root, self.lab, test, self.seed, self.cpus, stop)

    def give_hints(self) -> None:
        """To those that ended early somewhere: what usually does it, but for what is known to be right."""
        passed = {result.name for result in self.results if result.verdict == OK}
        hints = {test.name: test.hint for test in self.lab.tests}
        for result in self.results:
            if result.early and not result.hint:
                usual = self.lab.crash if result.early == "crash" else self.lab.hang
                result.hint = "; ".join(text for name, text in usual.items() if name not in passed) or \
                    hints[result.name]

    def run(self, prepare: Callable[[], object]) -> None:
        """All of it. Ended is let through, with the results so far."""
        if self.guarded(prepare) and not self.results:
            if self.lab.own:
                self.guarded(self.own_trace)
            self.guarded(self.tests)
            if self.lab.questions and self.wanted("questions"):
                self.guarded(self.questions, "questions")
            self.guarded(self.give_hints)
        self.harness("not graded: what came before it went wrong")
