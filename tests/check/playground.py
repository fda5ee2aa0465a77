# SPDX-License-Identifier: BSD-2-Clause
"""Play with the playground in headless Chromium.

usage: playground.py CHROMIUM PAGE FOLDER

PAGE is play.html, from a file. FOLDER gets pictures. Prints what is not so:

- every button does its word, by mouse; every control is reached by the keyboard, and a
  sequence is played by it alone; a button that cannot be used says why;
- the address of the page gives the same state when it is opened again;
- each broken design loses the wakeup of its sequence, and says so in words; the library,
  and the list without a window, lose nothing wherever the call is cut, and the guest
  takes all that was posted; random walks over the library lose nothing;
- without WebAssembly.Suspending calls are made whole, and the page says so;
- a narrow window does not scroll sideways, text is readable, in dark mode, too;
- the console is silent, and nothing is loaded.
"""

import json
import os
import shutil
import sys
import tempfile
import urllib.parse

from browser import Browser

WIDE, NARROW = (1300, 1000), (360, 800)
WINDOWS = ("pir-unseen", "on-unseen", "two-steps", "listed-last", "list-unlocked",
           "cleared-late", "flag-first")
# Those that need no stop within a call.
WHOLE = ("pir-unseen", "on-unseen")
LOST = "vCPU {} sleeps, vector {} waits in PIR, ON = {}, nobody will come."
SENTENCES = {
    "pir-unseen": LOST.format(1, 41, 0),
    "on-unseen": LOST.format(1, 41, 1),
    "two-steps": LOST.format(1, 41, 1),
    "listed-last": LOST.format(1, 41, 1),
    "list-unlocked": LOST.format(2, 42, 1),
    "cleared-late": LOST.format(1, 42, 1),
    "flag-first": LOST.format(1, 41, 1),
}
# The windows in which a call leaves out its look at PIR.
UNSEEN = ("pir-unseen", "on-unseen", "two-steps")

STATE = """[...document.querySelectorAll('#text li, #verdict p:first-child')].map(
    e => e.innerText).join('\\n')"""
VERDICT = "document.getElementById('verdict').innerText"
DONE = "window.playground?.machine?.done.join()"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BUTTONS = "[...document.querySelectorAll('button')].map(e => e.id).sort().join()"
CONTROLS = """[...document.querySelectorAll(
    'a[href], button, select, input, [tabindex="0"]')].filter(
    e => e.checkVisibility() && !e.disabled).map(e => e.id || e.innerText).join()"""
FOCUSED = "document.activeElement.id || document.activeElement.innerText"
WITHOUT = "delete WebAssembly.Suspending; delete WebAssembly.promising;"

# Text whose contrast with what is behind it is below 4.5, except on buttons that
# cannot be used.
PALE = """(() => {
    const parts = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(
        c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) {
        const c = parts(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c; }
        return parts(getComputedStyle(document.body).backgroundColor); };
    const found = new Set();
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) ||
            !e.checkVisibility() || e.closest('svg, script, style, [aria-disabled=true]'))
            continue;
        const [a, b] = [light(parts(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5)
            found.add(`${e.tagName} ${e.className} ${ratio.toFixed(1)}`);
    }
    return [...found].join('; ');
})()"""

# Accesses of the call that a sequence cuts, in the library, when nothing cuts the call.
# The table has one row for each, and one for the end of the call.
ACCESSES = """(async () => {
    const machine = await Machine.create(playground.spare, 'ours');
    for (const word of SEQUENCES.find(s => s.design === WINDOW).words) {
        await machine.perform(word);
        const [call] = Object.values(machine.calls);
        if (call) {
            await machine.perform(`finish.${call.actor}`);
            return call.done ? call.steps : -1;
        }
    }
    return 0;
})()"""
# Crosses of the timeline, and lines of the list that say the same.
UNLOOKED = """(() => {
    const crosses = [...document.querySelectorAll('#lanes path.missed')].map(
        e => e.textContent).join();
    const lines = [...document.querySelectorAll('#log .missed')].map(
        e => e.textContent).join();
    return crosses === lines ? crosses : `${crosses} beside ${lines}`;
})()"""

# Each cut of each sequence, and what is not as it should be.
CUTS = """(async () => {
    const wrong = [];
    for (const sequence of SEQUENCES) {
        const posted = sequence.words.filter(w => w.startsWith('device'))
            .map(w => w.split('.')[2]).join();
        for (const design of ['ours', 'list']) {
            let cuts = 0;
            for await (const {cut, machine} of everyCut(playground.spare, design, sequence)) {
                const {way, lost} = machine.verdict();
                const taken = machine.vcpus.flatMap(v => v.taken).join();
                cuts++;
                if (way.length || lost.length || taken !== posted)
                    wrong.push([design, sequence.design, cut, taken, way, lost].join(' '));
                for (const {kind, text} of machine.log)
                    if (kind === 'missed')
                        wrong.push([design, sequence.design, cut, text].join(' '));
            }
            if (STEP && hasCut(sequence) && cuts < 6)
                wrong.push(`${design} ${sequence.design}: cut only ${cuts} times`);
        }
    }
    return wrong.join('\\n');
})()"""

# Random walks, steps within calls included; of a design. Returns what was lost, and
# walks whose words give another state when they are played again.
WALKS = """(async () => {
    const wrong = [], random = seed => () =>
        (seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0) >>> 8;
    const words = [];
    for (const v of [0, 1, 2]) {
        for (const p of [0, 1])
            words.push(`run.${v}.${p}`, `block.${v}.${p}`);
        words.push(`preempt.${v}`, `choose.${v}`, `post.${v}.200.1`);
        for (const n of [41, 42])
            words.push(`device.${v}.${n}`, `post.${v}.${n}`);
    }
    for (const p of [0, 1])
        words.push(`wnv.${p}`, `anv.${p}`, `offline.${p}`, `online.${p}`);
    for (const word of [...words])
        words.push('~' + word);
    for (const actor of ACTORS)
        words.push(...Array(4).fill(`step.${actor}`), `finish.${actor}`);
    let half = 0, asleep = 0;
    for (let walk = 1; walk <= COUNT; walk++) {
        const next = random(walk * 7919);
        const machine = await Machine.create(playground.spare, DESIGN);
        for (let i = 0; i < 40; i++) {
            const can = words.filter(word => machine.action(word)?.why() === null);
            await machine.perform(can[next() % can.length]);
            half += Object.keys(machine.calls).length > 1;
            asleep += machine.vcpus.some(v => v.state === 'asleep');
            for (const lost of machine.verdict().lost)
                wrong.push(`walk ${walk}: ${lost} ${machine.done}`);
        }
        if (DESIGN === 'ours' && machine.log.some(entry => entry.kind === 'missed'))
            wrong.push(`walk ${walk}: no look at PIR: ${machine.done}`);
        const text = machine.text().join();
        const again = await Machine.create(playground.spare, DESIGN);
        for (const word of machine.done) {
            const why = await again.perform(word);
            if (why) wrong.push(`walk ${walk}: ${word}: ${why}`);
        }
        if (again.text().join() !== text ||
            JSON.stringify(again.log) !== JSON.stringify(machine.log))
            wrong.push(`walk ${walk}: played again, another state`);
    }
    if (COUNT >= 20 && (asleep < COUNT || (STEP && half < COUNT)))
        wrong.push(`walks: ${half} with two half-done calls, ${asleep} with a sleeper`);
    return wrong.slice(0, 5).join('\\n');
})()"""


class Player(Browser):
    """A browser on the playground."""

    def __init__(self, program, home, page):
        self.page, self.loaded = page, []
        super().__init__(program, home)

    def listen(self, method, params):
        super().listen(method, params)
        if method == "Network.requestWillBeSent":
            self.loaded.append(params["request"]["url"])

    def play(self, fragment=""):
        """The page anew, at a link."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"file://{self.page}{fragment}")
        # Of this document, and not of the one before.
        if self.wait("typeof window.playground?.machine?.done", "object") != "object":
            self.complaints.append(f"does not start at {fragment or 'its beginning'}")
        self.value("playground.queue")

    def do(self, words, design="ours"):
        """The state of a link, without a load of the page."""
        link = f"#design={design}&do={','.join(words)}"
        self.value(f"history.replaceState(null, '', {json.dumps(link)})")
        self.value("playground.later(() => playground.follow())")
        return self.value(STATE)

    def click(self, name):
        """A press of the mouse on what has that id."""
        place = self.value(f"""(() => {{ const e = document.getElementById('{name}');
            e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2]; }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1],
                      button="left", clickCount=1)
        self.value("playground.queue")

    def key(self, key, code, text="", shift=False):
        modifiers = 8 if shift else 0
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text,
                  windowsVirtualKeyCode=code, modifiers=modifiers)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key,
                  windowsVirtualKeyCode=code, modifiers=modifiers)

    def tab_to(self, name):
        for _ in range(120):
            if self.value(FOCUSED) == name:
                return True
            self.key("Tab", 9)
        return False


def presses():
    """Yield (words before, button, the word that it does, what the state then says)."""
    for v in range(3):
        for p in range(2):
            yield [], f"run-{v}-{p}", f"run.{v}.{p}", f"vCPU {v}: in the guest, on pCPU {p}."
            yield ([f"run.{v}.0"], f"block-{v}-{p}", f"block.{v}.{p}",
                   f"pCPU {p}: online, blocked here: vCPU {v},")
        yield [f"run.{v}.0"], f"preempt-{v}", f"preempt.{v}", f"vCPU {v}: off its pCPU."
        other = (v + 1) % 3
        yield ([f"run.{other}.0", f"block.{other}.0", f"run.{v}.0"], f"choose-{v}",
               f"choose.{v}", f"pCPU 1: online, blocked here: vCPU {v},")
        yield ([f"~run.{v}.0"], f"step-v{v}", f"step.v{v}",
               f"vCPU {v}'s thread is scheduled in on pCPU 0: run, harvest; next it "
               f"changes the control word of vCPU {v}.")
        yield [f"~run.{v}.0"], f"finish-v{v}", f"finish.v{v}", f"vCPU {v}: in the guest"
    for p in range(2):
        wake = [f"run.1.{p}", f"block.1.{p}", "device.1.41"]
        yield wake, f"wnv-{p}", f"wnv.{p}", "vCPU 1: woken, waits for a pCPU."
        yield ([f"run.1.{p}", "device.1.41"], f"anv-{p}", f"anv.{p}",
               "Taken by the guest: 41.")
        yield [], f"offline-{p}", f"offline.{p}", f"pCPU {p}: offline"
        yield [f"offline.{p}"], f"online-{p}", f"online.{p}", f"pCPU {p}: online"
        yield ([*wake, f"~wnv.{p}"], f"step-h{p}", f"step.h{p}",
               f"handler of pCPU {p} takes WNV: the wakeup handler; next it reads "
               f"the handlers' sequence of pCPU {p}.")
        yield ([*wake, f"~wnv.{p}"], f"finish-h{p}", f"finish.h{p}",
               f"wake marks: vCPU 1, summary 1, pending: nothing.")
    yield ([], "device", "device.1.41",
           "vCPU 1: off its pCPU. PIR 41, ON 0, SN 1,")
    yield (["run.1.0"], "post", "post.1.41",
           "PIR 41, ON 1, SN 0, NV ANV, NDST 0. Taken by the guest: nothing.")
    yield (["~post.1.41"], "step-cpu", "step.cpu",
           "another CPU posts 41 to vCPU 1; next it reads the control word of vCPU 1.")
    yield ["~post.1.41"], "finish-cpu", "finish.cpu", "vCPU 1: off its pCPU. PIR 41,"
    yield (["~offline.1"], "step-admin", "step.admin", "pCPU 1: offline")
    yield (["~offline.1"], "finish-admin", "finish.admin", "pCPU 1: offline")


def button_faults(player):
    covered = {"undo", "restart", "on-broken", "on-ours", "every-cut"}
    for words, button, word, state in presses():
        covered.add(button)
        player.do(words)
        player.click(button)
        done, text = player.value(DONE), player.value(STATE)
        if done != ",".join([*words, word]):
            yield f"{button}: does {done}"
        if state not in text:
            yield f"{button}: the state is {text}"
    there = player.value(BUTTONS)
    if there != ",".join(sorted(covered)):
        yield f"buttons that are not tried: {set(there.split(',')) ^ covered}"
    before = player.do(["run.1.0", "device.1.41"])
    player.click("block-1-0")
    player.click("undo")
    if player.value(STATE) != before or player.value(DONE) != "run.1.0,device.1.41":
        yield "undo: another state than before"
    player.click("restart")
    if player.value(DONE) != "" or player.value(STATE) != player.do([]):
        yield "restart: the state is not the first one"


def refusal_faults(player):
    """Presses that are not possible change nothing and say why."""
    for words, button, why in (
            (["run.1.0", "block.1.0"], "run-1-0", "vCPU 1 sleeps, and nobody has woken it"),
            ([], "block-0-0", "vCPU 0 is on no pCPU"),
            (["run.1.0"], "run-2-0", "vCPU 1 is on pCPU 0"),
            (["run.1.0"], "offline-0", "vCPU 1 is on pCPU 0"),
            ([], "wnv-0", "WNV is not pending on pCPU 0"),
            (["offline.1"], "run-0-1", "pCPU 1 is offline"),
            (["run.1.0", "device.1.41", "~block.1.1", "~preempt.1"], "run-1-1",
             "vCPU 1 is in the middle of a call"),
            (["~run.1.0", "device.1.41", "finish.v1", "device.1.41", "block.1.0", "run.1.0",
              "preempt.1", "run.1.0", "block.1.0", "device.1.42", "~wnv.0"], "wnv-0",
             "WNV is not pending on pCPU 0")):
        state = player.do(words)
        done = player.value(DONE)
        player.click(button)
        said = player.value(VERDICT)
        title = player.value(f"document.getElementById('{button}').title")
        if f"Not now: {why}." not in said or title != why:
            yield f"{button}: says {said!r}, {title!r} and not {why!r}"
        if player.value(STATE) != state or player.value(DONE) != done:
            yield f"{button}: changes the state, and says that it cannot"
    player.do([])
    player.value("document.getElementById('vector').value = '15'")
    player.click("device")
    if "no word" not in player.value(VERDICT) or player.value(DONE):
        yield "vector 15 is posted"
    player.value("document.getElementById('vector').value = '41'")


def mode_faults(player):
    """The box, the target, the vector and urgent are part of the word."""
    player.play("#do=run.1.0")
    player.click("stepping")
    player.click("block-1-1")
    player.value("""(() => { document.getElementById('target').value = '2';
        document.getElementById('vector').value = '200'; })()""")
    player.click("urgent")
    player.click("post")
    player.click("step-v1")
    player.click("stepping")
    player.click("device")
    done = player.value(DONE)
    if done != "run.1.0,~block.1.1,~post.2.200.1,step.v1,device.2.200":
        yield f"two half-done calls: {done}"
    if player.value(STATE).count("; next it ") != 2:
        yield "two half-done calls are not in the text"


def stack_faults(player):
    """Two handlers at once, each with an array on its stack: whom it has woken."""
    words = ["run.1.0", "block.1.0", "run.2.1", "block.2.1", "device.1.41", "device.2.42",
             "~wnv.0", "step.h0.4", "~wnv.1", "step.h1.4", "finish.h0"]
    text = player.do(words, "cleared-late")
    if "pCPU 0: online, blocked here: no vCPU," not in text or \
            "pCPU 1: online, blocked here: vCPU 2, lock taken" not in text:
        yield f"two handlers, one has returned: {text}"
    player.do(words + ["finish.h1"], "cleared-late")
    if player.value(STATE).count("blocked here: no vCPU,") != 2:
        yield f"two handlers have returned: {player.value(STATE)}"


def keyboard_faults(player):
    player.play()
    wanted, seen = set(player.value(CONTROLS).split(",")), set()
    for _ in range(len(wanted) + 20):
        player.key("Tab", 9)
        seen.add(player.value(FOCUSED))
    if not wanted <= seen:
        yield f"not reached by Tab: {wanted - seen}"
    player.play()
    for name, press in (("stepping", (" ", 32, " ")), ("run-1-0", ("Enter", 13, "\r")),
                        ("finish-v1", (" ", 32, " ")), ("block-1-0", ("Enter", 13, "\r")),
                        ("step-v1", ("Enter", 13, "\r")), ("device", (" ", 32, " "))):
        if not player.tab_to(name):
            yield f"{name} is not reached by Tab"
        player.key(*press)
        player.value("playground.queue")
        focus = player.value(FOCUSED)
        if focus != ("calls" if name == "finish-v1" else name):
            yield f"{name}: pressed by a key, the focus goes to {focus}"
    done = player.value(DONE)
    if done != "~run.1.0,finish.v1,~block.1.0,step.v1,device.1.41":
        yield f"by keys: {done}"


def link_faults(player):
    """The address of each state gives that state."""
    for design, words in (
            ("ours", ["run.1.0", "~block.1.1", "step.v1.4", "device.1.41", "~offline.1",
                      "step.admin.2", "~post.1.99", "step.cpu"]),
            ("cleared-late", ["run.1.0", "block.1.0", "device.1.41", "~wnv.0", "step.h0.3"])):
        player.play(f"#design={design}&do={','.join(words)}")
        state = player.value(STATE)
        link = player.value("document.getElementById('link').value")
        if link != player.value("location.href") or not link.startswith("file://"):
            yield f"the link is {link}"
        if player.value(DONE) != ",".join(words) or "; next it " not in state:
            yield f"{words}: only {player.value(DONE)} is done"
        player.play("#" + urllib.parse.urlparse(link).fragment)
        if player.value(STATE) != state or player.value(DONE) != ",".join(words):
            yield f"{link}: another state when it is opened again"
        player.call("Page.reload")
        player.wait(DONE, ",".join(words))
        if player.value(STATE) != state:
            yield f"{link}: another state after a reload"
    player.value("location.hash = '#design=ours&do=run.2.1'")
    if player.wait(DONE, "run.2.1") != "run.2.1":
        yield "a change of the address is not followed"
    for bad, said in (("run.9.0", '"run.9.0" is no word'), ("run", '"run" is no word'),
                      ("run.0.0.0", "no word"), ("~device.1.41", "no word"),
                      ("__proto__", "no word"), ("constructor.1", "no word"),
                      ("device.1.15", "no word"), ("step.x", "no word"),
                      ("block.1.0", "vCPU 1 is on no pCPU")):
        player.do(["run.0.0", bad, "run.2.1"])
        text = player.value(VERDICT)
        if said not in text or player.value(DONE) != "run.0.0":
            yield f"a link with {bad}: {player.value(DONE)}, {text!r}"
    player.do([], "nonsense")
    if "unknown" not in player.value(VERDICT):
        yield "a design that is unknown is not noticed"


def choose_sequence(player, window):
    player.value(f"""(() => {{ const select = document.getElementById('sequence');
        select.value = SEQUENCES.findIndex(s => s.design === '{window}');
        select.dispatchEvent(new Event('change')); }})()""")


def sequence_faults(player, stepping, folder):
    """The menu: the broken design, ours, and ours with each cut."""
    for window in WINDOWS if stepping else WHOLE:
        player.play()
        choose_sequence(player, window)
        player.click("on-broken")
        said = player.value(VERDICT)
        if not said.startswith(SENTENCES[window]):
            yield f"{window}: the broken design says {said!r}"
        seen = player.value(UNLOOKED)
        if ("has not looked at PIR, where 41 waits" in seen) != (window in UNSEEN) or \
                " beside " in seen:
            yield f"{window}: of looks at PIR the timeline says {seen!r}"
        player.picture(os.path.join(folder, f"{window}.png"))
        link = player.value("location.hash")
        player.play(link)
        if not player.value(VERDICT).startswith(SENTENCES[window]):
            yield f"{window}: the link of the loss shows none"
        choose_sequence(player, window)
        player.click("on-ours")
        if not player.value(VERDICT).startswith("Nothing is lost, and nothing"):
            yield f"{window}: ours says {player.value(VERDICT)!r}"
        if player.value(UNLOOKED):
            yield f"{window}: ours leaves out a look: {player.value(UNLOOKED)}"
        accesses = player.value(ACCESSES.replace("WINDOW", json.dumps(window)))
        player.click("every-cut")
        said = player.value("document.getElementById('cuts-text').innerText")
        rows = accesses + 1 if stepping else 1
        ways = (f"Ours, interrupted in {rows} ways" if rows > 1
                else "Ours, played once with whole calls")
        if said != ways + ": nothing is lost.":
            yield f"{window}: {said!r}"
    wrong = player.value(CUTS.replace("STEP", json.dumps(stepping)))
    yield from filter(None, wrong.split("\n"))


def walk_faults(player, stepping, designs):
    for design, count in designs:
        script = WALKS.replace("STEP", json.dumps(stepping)).replace("COUNT", str(count))
        wrong = player.value(script.replace("DESIGN", json.dumps(design)))
        for line in filter(None, wrong.split("\n")):
            # A design that is broken may lose; its words give the same state again.
            if design == "ours" or "walk" not in line or " sleeps, " not in line \
                    and " in the guest, " not in line:
                yield f"{design}: {line}"


def whole_faults(player, folder):
    """Without promise integration."""
    script = player.call("Page.addScriptToEvaluateOnNewDocument", source=WITHOUT)
    player.play()
    mode = player.value("document.getElementById('mode').innerText")
    if "calls are made whole" not in mode or player.value("playground.canStep"):
        yield f"without WebAssembly.Suspending the page says {mode!r}"
    if not player.value("document.getElementById('stepping').disabled"):
        yield "without WebAssembly.Suspending the box for steps can be used"
    for words, button, word, state in presses():
        if not button.startswith(("step", "finish")):
            player.do(words)
            player.click(button)
            done, text = player.value(DONE), player.value(STATE)
            if done != ",".join([*words, word]) or state not in text:
                yield f"whole calls: {button}: {done}, {text}"
    player.do(["run.1.0", "~block.1.0", "step.v1.3", "device.1.41", "finish.v1", "wnv.0"])
    if player.value(DONE) != "run.1.0,~block.1.0,device.1.41,wnv.0":
        yield f"a link with steps, whole calls: {player.value(DONE)}"
    yield from sequence_faults(player, False, folder)
    yield from walk_faults(player, False, [("ours", 20)])
    player.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def look_faults(player, folder):
    """Windows and colours, with much on the page."""
    words = ["run.1.0", "block.1.0", "device.1.41", "~wnv.0", "step.h0.8", "run.2.1",
             "~block.2.0", "step.v2.3", "~post.2.250", "step.cpu"]
    colours = set()
    for size, name in ((WIDE, "wide"), (NARROW, "narrow")):
        player.window(size)
        for scheme in ("light", "dark"):
            player.call("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": scheme}])
            player.do(words)
            player.click("every-cut")
            colours.add(player.value("getComputedStyle(document.body).backgroundColor"))
            for said in ("", "lost"):
                if said:
                    player.do(["run.1.0", "device.1.41", "block.1.0", "anv.0"], "on-unseen")
                if player.value(WIDER) > 0:
                    yield f"{name}, {scheme}: wider than its window by {player.value(WIDER)}"
                if player.value(PALE):
                    yield f"{name}, {scheme}: hard to read: {player.value(PALE)}"
                full = player.call("Page.getLayoutMetrics")["cssContentSize"]["height"]
                player.window((size[0], int(full)))
                player.picture(os.path.join(folder, f"{name}-{scheme}{said}.png"))
                player.window(size)
    if len(colours) != 2:
        yield f"light and dark have the colours {colours}"
    player.call("Emulation.setEmulatedMedia", features=[])
    player.window(WIDE)


def aria_faults(player):
    player.do(["run.1.0", "device.1.41"])
    role = player.value("""(() => { const e = document.getElementById('verdict');
        return e.getAttribute('role') + e.getAttribute('aria-live'); })()""")
    if role != "statuspolite":
        yield "the verdict is no live region"
    text = player.value(STATE)
    for v in range(3):
        card = player.value(f"document.getElementById('vcpu{v}').innerText")
        line = text.partition(f"vCPU {v}:")[2]
        for field in ("PIR", "ON", "SN", "NV", "NDST"):
            value = line.partition(f"{field} ")[2].partition(",")[0].partition(".")[0]
            if f"{field} {value}" not in card and f"{field}: {value}" not in card:
                yield f"vCPU {v}: the text says {field} {value}, and the card does not"
    marked = player.value("document.querySelectorAll('#vcpu1 rect')[41].getAttribute('class')")
    if marked != "set":
        yield "vector 41 is not drawn"


def faults(player, folder):
    player.window(WIDE)
    player.play()
    if not player.value("playground.canStep"):
        yield "this Chromium has no JavaScript promise integration"
    yield from button_faults(player)
    yield from refusal_faults(player)
    yield from mode_faults(player)
    yield from stack_faults(player)
    yield from keyboard_faults(player)
    yield from link_faults(player)
    yield from sequence_faults(player, True, folder)
    yield from walk_faults(player, True, [("ours", 60), ("list", 5),
                                          *((window, 4) for window in WINDOWS)])
    yield from aria_faults(player)
    yield from look_faults(player, folder)
    yield from whole_faults(player, folder)
    yield from player.complaints
    for url in {url.partition("#")[0] for url in player.loaded}:
        if url != f"file://{player.page}" and not url.startswith(("data:", "about:")):
            yield f"loaded: {url}"


def main():
    program, page, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    home = tempfile.mkdtemp()
    player = Player(program, home, os.path.abspath(page))
    try:
        for text in faults(player, folder):
            print(text, flush=True)
    finally:
        player.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
