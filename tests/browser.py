"""A headless Chromium with one page open, driven as by hand.

It speaks the Chrome DevTools Protocol through a pipe (--remote-debugging-pipe): JSON messages that
end with a zero byte, ours to its descriptor 3, its own from 4.
"""
import base64
import json
import select
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

from driver import HANG, Failed, Skipped

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-component-update",
           "--disable-background-networking", "--disable-sync", "--force-device-scale-factor=1",
           "--remote-debugging-pipe", "about:blank"]


def said_of(exception: dict) -> str:
    return exception.get("exception", {}).get("description", exception["text"])


class Browser:
    """with Browser(file) as browser: browser.evaluate("1 + 1")"""

    def __init__(self, page: Path, at: str = "", size: tuple[int, int] = (1280, 800), dark: bool = False):
        """Open `page` and `at` in it, "#find=read" say, and wait until it is loaded."""
        if not shutil.which("chromium"):
            raise Skipped("there is no chromium; tools/setup test installs it")
        self.complaints: list[str] = []
        self.loaded = False
        self.last_call = 0
        self.unread = b""
        self.session: str | None = None
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null', "chromium", *OPTIONS,
             f"--user-data-dir={self.profile.name}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        try:
            target = next(target["targetId"] for target in self.call("Target.getTargets")["targetInfos"]
                          if target["type"] == "page")
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in "Page", "Runtime", "Log":
                self.call(f"{domain}.enable")
            self.call("Performance.enable", timeDomain="threadTicks")
            self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                      deviceScaleFactor=1, mobile=False)
            self.call("Emulation.setScrollbarsHidden", hidden=True)
            self.call("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
            self.call("Page.navigate", url=f"file://{page}{at}")
            while not self.loaded:
                self._receive()
            self.frame()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.process.stdin.close()  # it ends with the pipe
        try:
            self.process.wait(HANG)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.profile.cleanup()

    def call(self, method: str, **parameters: object) -> dict:
        """What the browser returns. Events that come before are taken note of."""
        self.last_call += 1
        message = {"id": self.last_call, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self.last_call:
            pass
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _receive(self) -> dict:
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], HANG)
            more = self.process.stdout.read(1 << 20) if ready else b""
            if not more:
                raise Failed("chromium ended" if ready else f"chromium was silent for {HANG} s")
            self.unread += more
        text, self.unread = self.unread.split(b"\0", 1)
        message = json.loads(text)
        match message.get("method"):
            case "Page.loadEventFired":
                self.loaded = True
            case "Runtime.exceptionThrown":
                self.complaints.append(said_of(message["params"]["exceptionDetails"]))
            case "Runtime.consoleAPICalled" | "Log.entryAdded":
                self.complaints.append(json.dumps(message["params"]))
        return message

    def evaluate(self, expression: str) -> object:
        """The value of JavaScript; of a promise, what it comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise Failed(f"{said_of(answer['exceptionDetails'])} in: {expression}")
        return answer["result"].get("value")

    def frame(self) -> None:
        """Wait until what has changed is on the screen."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def processor_time(self) -> float:
        """Seconds that the tasks of the page's main thread have taken of a processor."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    def drag(self, columns: range, y: int) -> Iterator[None]:
        """Press the left button in the first of the columns, and release it in the last. It goes on
        after each step when it is asked to."""
        def mouse(kind: str, x: int, **more: object) -> None:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", **more)
        mouse("mousePressed", columns[0], clickCount=1)
        for x in columns[1:]:
            mouse("mouseMoved", x, buttons=1)
            yield
        mouse("mouseReleased", columns[-1], clickCount=1)

    def press(self, *keys: str) -> None:
        """Keys by their names: "w", "Enter"."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0)
            for kind in "keyDown", "keyUp":
                self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                          **({"text": text} if text and kind == "keyDown" else {}))

    def touch(self, *steps: list[tuple[int, int]]) -> None:
        """Fingers come down at the points of the first step, move to those of the others, and leave."""
        for number, points in enumerate([*steps, []]):
            kind = "touchStart" if number == 0 else "touchMove" if points else "touchEnd"
            self.call("Input.dispatchTouchEvent", type=kind,
                      touchPoints=[{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)])

    def names(self, *roles: str) -> list[str]:
        """What a screen reader says of the parts that have such a role."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node.get("name", {}).get("value", "") for node in nodes
                if not node.get("ignored") and node.get("role", {}).get("value") in roles]
