# SPDX-License-Identifier: BSD-2-Clause
"""Look at the site in headless Chromium, in a wide and in a narrow window.

usage: browser.py CHROMIUM HTML FOLDER

HTML is the folder of the site. Each page of PAGES is opened in both windows and
in dark mode; FOLDER gets the pictures. Prints

- what the console, or the loading of a file, complains of;
- text that is wider than its window, pictures that are not drawn;
- a tree that does not show where the page is, a switch for dark mode that does
  nothing, a search that does not find.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

PAGES = ("index", "readme", "concepts", "comparison", "architecture",
         "memory-ordering", "performance", "playground",
         "porting", "part-begin", "modules",
         "group__layers4", "sched_8h", "unit_8h", "pid_8h", "regs_8h",
         "structvtdpi__platform__ops")
WIDE, NARROW = (1400, 1000), (420, 900)
SECONDS = 10

WIDER = """[...document.querySelectorAll('#doc-content, body')].filter(
    e => e.scrollWidth > e.clientWidth + 1).map(e => e.id || e.tagName).join()"""
UNDRAWN = """[...document.images].filter(
    e => e.complete && !e.naturalWidth).map(e => e.src).join()"""
READY = "document.readyState == 'complete'"
MARKED = """document.querySelector('#nav-tree .selected .label a')?.href
    .split('/').pop().split('#')[0]"""
SHOWN = "getComputedStyle(document.querySelector('#side-nav')).display != 'none'"
COLOUR = "getComputedStyle(document.body).backgroundColor"
SWITCH = "document.querySelector('doxygen-awesome-dark-mode-toggle').click()"
SEARCH = """(() => { const field = document.querySelector('#MSearchField');
    searchBox.OnSearchFieldFocus(true); field.value = 'vtdpi_vcpu_block';
    searchBox.Search(); })()"""
FOUND = """[...(document.querySelector('iframe#MSearchResults')
    .contentDocument?.querySelectorAll('.SRResult') ?? [])].some(
    e => e.style.display != 'none' && e.id.includes('vtdpi_5fvcpu_5fblock'))"""


class Browser:
    """Chromium, spoken to through a pair of pipes: JSON that ends in a zero."""

    def __init__(self, program, home):
        to_it, self.out = os.pipe()
        self.inp, from_it = os.pipe()

        def pipes():
            # Through numbers that are neither 3 nor 4.
            a, b = os.dup(to_it), os.dup(from_it)
            os.dup2(a, 3)
            os.dup2(b, 4)

        options = ["--headless", "--disable-gpu", "--no-first-run",
                   "--allow-file-access-from-files", "--remote-debugging-pipe",
                   "--hide-scrollbars", f"--user-data-dir={home}"]
        if os.getuid() == 0:
            options.append("--no-sandbox")
        self.process = subprocess.Popen(
            [program, *options], close_fds=False, preexec_fn=pipes,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(to_it)
        os.close(from_it)
        self.number, self.rest, self.session = 0, b"", None
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.rest:
            data = os.read(self.inp, 1 << 16)
            if not data:
                raise OSError("Chromium has ended")
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(text)
        self.listen(message.get("method"), message.get("params"))
        return message

    def listen(self, method, params):
        """Keep what a page complains of."""
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(
                details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in (
                "error", "warning", "assert"):
            self.complaints.append(
                " ".join(str(arg.get("value")) for arg in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in (
                "error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.loadingFailed" and not params.get("canceled"):
            self.complaints.append("not loaded: " + params["errorText"])

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise OSError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            return details.get("exception", {}).get("description", "exception")
        return result["result"].get("value")

    def wait(self, expression, wanted=True):
        """The value of an expression once it is as wanted, or the last one."""
        script = f"""new Promise(done => {{ const end = Date.now() + {SECONDS}000;
            const look = () => {{ let v;
            try {{ v = {expression} }} catch (e) {{ v = '' + e }}
            if (v === {json.dumps(wanted)} || Date.now() > end) done(v);
            else setTimeout(look, 50) }}; look() }})"""
        return self.value(script)

    def window(self, size):
        self.call("Emulation.setDeviceMetricsOverride", width=size[0],
                  height=size[1], deviceScaleFactor=1, mobile=False)

    def open(self, path):
        self.call("Page.navigate", url="file://" + path)
        self.wait(READY)

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        os.close(self.out)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def page_faults(browser, page, wide):
    if browser.value(WIDER):
        yield f"wider than its window: {browser.value(WIDER)}"
    if browser.value(UNDRAWN):
        yield f"not drawn: {browser.value(UNDRAWN)}"
    if browser.wait(SHOWN, wide) is not wide:
        yield "the tree is " + ("hidden" if wide else "in the way of the text")
    if wide and not page.startswith("struct"):
        marked = browser.wait(MARKED, page + ".html")
        if marked != page + ".html":
            yield f"the tree shows {marked}"


def dark_faults(browser):
    """The switch changes the colour, which the next page then has."""
    before = browser.value(COLOUR)
    browser.value(SWITCH)
    if browser.wait(f"{COLOUR} != {json.dumps(before)}") is not True:
        yield "the switch for dark mode does nothing"


def search_faults(browser):
    browser.value(SEARCH)
    if browser.wait(FOUND) is not True:
        yield "the search does not find vtdpi_vcpu_block"


def faults(browser, html, folder):
    for size, name in ((WIDE, "wide"), (NARROW, "narrow")):
        browser.window(size)
        for page in PAGES:
            browser.complaints.clear()
            browser.open(os.path.join(html, page + ".html"))
            found = list(page_faults(browser, page, size is WIDE))
            browser.picture(os.path.join(folder, f"{page}-{name}.png"))
            found += browser.complaints
            yield from (f"{page}, {name}: {text}" for text in found)
        browser.complaints.clear()
        found = list(search_faults(browser)) + list(dark_faults(browser))
        browser.picture(os.path.join(folder, f"dark-{name}.png"))
        found += browser.complaints
        yield from (f"{name}: {text}" for text in found)


def main():
    program, html, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    home = tempfile.mkdtemp()
    browser = Browser(program, home)
    try:
        for text in faults(browser, os.path.abspath(html), folder):
            print(text)
    finally:
        browser.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
