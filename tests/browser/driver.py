"""A headless Chromium, spoken to over pipes by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/): no library, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # s, for any answer
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_browser() -> str:
    """The path of a browser; '' where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), "")


class Browser:
    """One process with one page. What it complains of is collected: errors of scripts, what the policy of a page refused, requests."""

    def __init__(self, program: str, folder: Path) -> None:
        (there, self._write), (self._read, back) = os.pipe(), os.pipe()

        def as_three_and_four() -> None:
            """The numbers that --remote-debugging-pipe reads from and writes to, whatever numbers the pipes have here."""
            high = [os.dup(number) for number in (there, back)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
        ]
        quiet = [
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ]
        self._process = subprocess.Popen(
            [program, *flags, *quiet, "about:blank"],
            preexec_fn=as_three_and_four,  # noqa: PLW1509 - no threads here, and nothing else gives a pipe its number
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(back)
        self._waiting, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self._requests: dict[str, str] = {}
        self._loaded = False
        self._attach()

    def _attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one command of the protocol."""
        self._number += 1
        message = {
            "id": self._number,
            "method": method,
            "params": parameters,
            **({"sessionId": self._session} if self._session else {}),
        }
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self._next(end)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
        raise TimeoutError(method)

    def _next(self, end: float) -> dict[str, Any]:
        """The next message; of events what matters is kept."""
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self._read, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser says nothing")
            self._waiting += piece
        text, _, self._waiting = self._waiting.partition(b"\0")
        message = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, said = message.get("method", ""), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["exceptionDetails"])[:400])
        elif method == "Log.entryAdded":
            self.complaints.append(said["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self._requests[said["requestId"]] = said["request"]["url"]
        elif method == "Network.loadingFailed" and said.get("blockedReason") == "csp":
            self._requests.pop(said["requestId"], None)
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(
        self, page: Path, width: int, *, height: int = 900, dark: bool = False, media: str = "", script: bool = True
    ) -> None:
        """Load a page at this width, as a telephone where it is small."""
        self.complaints.clear()
        self._requests.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self._loaded, end = False, time.monotonic() + PATIENCE
        self.call("Page.navigate", url=page.resolve().as_uri())
        while not self._loaded:
            self._next(end)

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened, but for those that its policy kept back."""
        return list(self._requests.values())

    def run(self, code: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """`mouseMoved`, `mousePressed` or `mouseReleased` at a place of the viewport."""
        held = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def picture(self, *, whole: bool = True) -> bytes:
        """A PNG of the page, or of what is in view."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def close(self) -> None:
        """End it, and wait for its end."""
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
