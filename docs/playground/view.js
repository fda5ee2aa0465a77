// SPDX-License-Identifier: BSD-2-Clause
// The page: buttons make words of a link, a machine performs them, and all of the state
// is drawn and written anew. Buttons stay, so that the keyboard's focus stays; one that
// cannot be used says why in its title, and when it is pressed.

const $ = id => document.getElementById(id);

function element(name, attributes = {}, ...children) {
    const made = name.startsWith("svg:")
        ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
        : document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    made.append(...children);
    return made;
}

const BLOCK_STATES = {
    preempted: "off its pCPU", host: "in the host", guest: "in the guest",
    calls: "in a call", asleep: "asleep", runnable: "woken, waits for a pCPU",
};
const DESIGN_NAMES = {ours: "ours: sched.h", list: "a list with a lock, no window"};

class Page {
    // engine: of the machine that is shown; spare: for sequences that are not shown.
    constructor(engine, spare) {
        Object.assign(this, {engine, spare, buttons: [], queue: Promise.resolve(), said: "",
                             canStep: engine.stepping});
        this.makeMode();
        this.makeSequences();
        this.makeControls();
        addEventListener("hashchange", () => this.later(() => this.follow()));
        this.later(() => this.follow());
    }

    // One thing after the other. What fails is shown, and the page starts anew.
    later(what) {
        this.busy = this.queue = this.queue.then(what).catch(async error => {
            console.error(error);
            await this.start(this.machine ? this.machine.design : "ours", []);
            this.said = `The module has failed: ${error.message}. The page has begun anew.`;
            this.draw();
        });
        return this.queue;
    }

    makeMode() {
        $("mode").textContent = this.canStep
            ? "This browser has JavaScript promise integration: calls can stop before each " +
              "atomic access, several at once, and each has a stack of its own."
            : "This browser has no JavaScript promise integration (WebAssembly.Suspending): " +
              "calls are made whole. Sequences that interrupt a call are played with whole " +
              "calls, and may lose nothing.";
        $("stepping").disabled = !this.canStep;
    }

    makeSequences() {
        for (const [i, sequence] of SEQUENCES.entries())
            $("sequence").append(element("option", {value: i}, sequence.title));
        const about = () => {
            const sequence = SEQUENCES[$("sequence").value];
            $("about").replaceChildren(sequence.text + " ");
            $("about").append(element("a", {href: "races.html" +
                (sequence.races ? "#races-" + sequence.races : "")}, "Who had it."));
            $("cuts").hidden = true;
        };
        $("sequence").addEventListener("change", about);
        about();
        const chosen = () => SEQUENCES[$("sequence").value];
        $("on-broken").addEventListener("click", () => this.later(
            () => this.start(chosen().design, cutIn(chosen(), chosen().cut))));
        $("on-ours").addEventListener("click", () => this.later(
            () => this.start("ours", cutIn(chosen(), chosen().cut))));
        $("every-cut").addEventListener("click", () => this.later(() => this.every(chosen())));
    }

    makeControls() {
        for (const design of DESIGNS)
            $("design").append(element("option", {value: design},
                DESIGN_NAMES[design] ?? `broken: ${design}`));
        $("design").addEventListener("change", () =>
            this.later(() => this.start($("design").value, [])));
        for (let v = 0; v < VCPUS; v++) {
            $("target").append(element("option", {value: v}, `vCPU ${v}`));
            $("vcpus").append(this.vcpuCard(v));
        }
        $("target").value = "1";
        for (let p = 0; p < PCPUS; p++)
            $("pcpus").append(this.pcpuCard(p));
        this.button($("device"), () => `device.${$("target").value}.${$("vector").value}`);
        this.button($("post"), () => `post.${$("target").value}.${$("vector").value}` +
            ($("urgent").checked ? ".1" : ""));
        for (const actor of ACTORS)
            $("half-done").append(this.callRow(actor));
        $("undo").addEventListener("click", () => this.later(
            () => this.start(this.machine.design, this.machine.done.slice(0, -1))));
        $("restart").addEventListener("click", () => this.later(
            () => this.start(this.machine.design, [])));
        $("link").addEventListener("focus", () => $("link").select());
        $("vector").addEventListener("input", () => this.later(() => this.draw()));
    }

    // A button whose word is performed.
    button(made, word) {
        this.buttons.push([made, word]);
        made.addEventListener("click", () => this.later(() => this.press(word())));
        return made;
    }

    newButton(id, text, word) {
        return this.button(element("button", {id}, text), () => word);
    }

    vcpuCard(v) {
        const svg = element("svg:svg", {class: "pir", viewBox: "0 0 256 17", "aria-hidden": "true"});
        for (let i = 0; i < 256; i++)
            svg.append(element("svg:rect", {x: i % 64 * 4 + .5, y: (i >> 6) * 4 + .5,
                                            width: 3, height: 3}));
        return element("fieldset", {id: `vcpu${v}`}, element("legend", {}, `vCPU ${v}`),
            element("p", {class: "state"}), element("ul", {class: "fields"}), svg,
            element("p", {class: "small pir-text"}), element("p", {class: "small taken"}),
            element("p", {class: "row"},
                this.newButton(`run-${v}-0`, "Run on pCPU 0", `run.${v}.0`),
                this.newButton(`run-${v}-1`, "Run on pCPU 1", `run.${v}.1`),
                this.newButton(`preempt-${v}`, "Preempt", `preempt.${v}`),
                this.newButton(`block-${v}-0`, "Block on pCPU 0", `block.${v}.0`),
                this.newButton(`block-${v}-1`, "Block on pCPU 1", `block.${v}.1`),
                this.newButton(`choose-${v}`, "Choose and block", `choose.${v}`)));
    }

    pcpuCard(p) {
        return element("fieldset", {id: `pcpu${p}`}, element("legend", {}, `pCPU ${p}`),
            element("p", {class: "state"}), element("ul", {class: "fields"}),
            element("p", {class: "small extra"}), element("p", {class: "small apic"}),
            element("p", {class: "row"},
                this.newButton(`wnv-${p}`, "Wakeup handler (WNV)", `wnv.${p}`),
                this.newButton(`anv-${p}`, "Take ANV", `anv.${p}`),
                this.newButton(`offline-${p}`, "Offline", `offline.${p}`),
                this.newButton(`online-${p}`, "Online", `online.${p}`)));
    }

    callRow(actor) {
        return element("li", {id: `call-${actor}`, hidden: ""},
            element("span", {class: "small"}), element("div", {class: "row"},
                this.newButton(`step-${actor}`, "Step", `step.${actor}`),
                this.newButton(`finish-${actor}`, "Finish", `finish.${actor}`)));
    }

    // The machine anew, with these words.
    async start(design, words) {
        $("cuts").hidden = true;
        this.machine = await Machine.create(this.engine, design);
        this.said = "";
        await play(this.machine, words);
        this.draw();
    }

    async press(word) {
        const stop = $("stepping").checked && !/^(step|finish)\./.test(word);
        const stopped = this.machine.action("~" + word);
        const why = await this.machine.perform(stop && stopped ? "~" + word : word);
        this.said = why ? `Not now: ${why}.` : "";
        this.draw();
    }

    // What the address says. A word that is unknown, or not possible, ends it.
    async follow() {
        if (location.hash === this.hash)
            return;
        const given = new URLSearchParams(location.hash.slice(1));
        const design = given.get("design") ?? "ours";
        await this.start(DESIGNS.includes(design) ? design : "ours", []);
        if (!DESIGNS.includes(design))
            this.said = `This link names a design that is unknown: "${design}".`;
        for (const word of (given.get("do") ?? "").split(",").filter(Boolean)) {
            const why = await this.machine.perform(word);
            if (why && !(/^(step|finish)\./.test(word) && !this.canStep && this.machine.action(word))) {
                this.said = `The link ends at ${word}: ${why}.`;
                break;
            }
        }
        this.draw();
    }

    // The sequence on our design, its call cut before each access.
    async every(sequence) {
        const rows = [];
        let losses = 0;
        for await (const {cut, machine, at} of everyCut(this.spare, "ours", sequence)) {
            const {way, lost} = machine.verdict();
            const taken = machine.vcpus.flatMap(vcpu => vcpu.taken);
            losses += lost.length;
            rows.push(element("tr", {}, element("td", {}, String(cut)),
                element("td", {}, at || "is whole"),
                element("td", {}, lost.join(" ") || (way.length ? setText(way) : "nothing is lost; ") +
                    (way.length ? "" : `taken by guests: ${setText(taken)}`))));
        }
        $("cuts-rows").replaceChildren(...rows);
        $("cuts-text").textContent = (rows.length === 1 ? "Ours, played once with whole calls: "
            : `Ours, interrupted in ${rows.length} ways: `) +
            (losses ? `${losses} lost.` : "nothing is lost.");
        $("cuts").hidden = false;
    }

    draw() {
        const focused = document.activeElement;
        this.machine.vcpus.forEach((vcpu, v) => this.drawVcpu(vcpu, v));
        this.machine.pcpus.forEach((pcpu, p) => this.drawPcpu(pcpu, p));
        this.drawCalls();
        for (const [button, word] of this.buttons)
            this.drawButton(button, word());
        if (focused && focused.closest("[hidden]"))
            $("calls").focus();
        this.drawLog();
        this.drawLanes();
        $("design").value = this.machine.design;
        $("text").replaceChildren(...this.machine.text().map(line => element("li", {}, line)));
        $("undo").setAttribute("aria-disabled", this.machine.done.length === 0);
        this.hash = `#design=${this.machine.design}&do=${this.machine.done.join(",")}`;
        if (location.hash !== this.hash)
            history.replaceState(null, "", this.hash);
        $("link").value = location.href;
        this.drawVerdict();
    }

    drawButton(button, word) {
        const action = this.machine.action(word);
        const why = action ? action.why() : "a vector is 16 to 255";
        button.setAttribute("aria-disabled", Boolean(why));
        button.title = why ?? "";
    }

    drawVerdict() {
        const {way, lost} = this.machine.verdict();
        const last = this.machine.log[this.machine.log.length - 1];
        const lines = lost.length ? [...lost] : way.length
            ? [`Under way: ${way.join("; ")}.`] : ["Nothing is lost, and nothing is under way."];
        if (this.said)
            lines.push(this.said);
        if (last)
            lines.push(`Last: ${ACTOR_NAMES[last.actor]} ${last.text}.`);
        $("verdict").className = lost.length ? "lost" : way.length ? "" : "fine";
        $("verdict").replaceChildren(...lines.map(line => element("p", {}, line)));
    }

    fields(card, list) {
        card.querySelector(".fields").replaceChildren(...list.map(([text, set]) =>
            element("li", set ? {class: "set"} : {}, text)));
    }

    drawVcpu(vcpu, v) {
        const card = $(`vcpu${v}`), pid = this.machine.pid(v);
        card.querySelector(".state").textContent = BLOCK_STATES[vcpu.state] +
            (vcpu.on === null ? "" : `, on pCPU ${vcpu.on}`);
        this.fields(card, [[`ON ${pid.on}`, pid.on], [`SN ${pid.sn}`, pid.sn],
                           [`NV ${vectorName(pid.nv)}`], [`NDST ${pid.ndst}`]]);
        card.querySelectorAll("rect").forEach((rect, i) => rect.setAttribute("class",
            pid.posted.includes(i) ? "set" : i < 16 ? "low" : ""));
        card.querySelector(".pir-text").textContent = `PIR: ${setText(pid.posted, "empty")}`;
        card.querySelector(".taken").textContent = `Taken by the guest: ${setText(vcpu.taken)}`;
    }

    drawPcpu(pcpu, p) {
        const card = $(`pcpu${p}`), v = this.machine.occupant(p);
        const blocked = this.machine.blocked(p);
        card.querySelector(".state").textContent =
            (this.machine.exports.see_online(p) ? "online" : "offline") +
            (this.machine.calls["h" + p] ? ", in its wakeup handler" : "") +
            (v >= 0 ? `, vCPU ${v} is here` : this.machine.calls["h" + p] ? "" : ", idle");
        this.fields(card, Array.from({length: VCPUS}, (_, i) =>
            [`vCPU ${i} blocked: ${Number(blocked.includes(i))}`, blocked.includes(i)]));
        card.querySelector(".extra").textContent = this.machine.extra(p);
        card.querySelector(".apic").textContent =
            `Pending in the local APIC: ${setText([...pcpu.apic].map(vectorName))}`;
    }

    drawCalls() {
        const {calls} = this.machine;
        for (const actor of ACTORS) {
            const row = $(`call-${actor}`), call = calls[actor];
            row.hidden = !call;
            row.querySelector("span").textContent = call
                ? `${ACTOR_NAMES[actor]} ${call.text}. Next it ${nextText(call.next)}.` : "";
        }
        $("no-calls").hidden = Object.keys(calls).length > 0;
    }

    drawLog() {
        $("log").replaceChildren(...this.machine.log.map(({actor, kind, text}) =>
            element("li", {class: kind}, element("b", {}, ACTOR_NAMES[actor]), " " + text)));
        $("log-scroll").scrollTop = $("log-scroll").scrollHeight;
    }

    // A dot; a cross for a look that was not made.
    mark(kind, x, y, text) {
        const title = element("svg:title", {}, text);
        return kind === "missed"
            ? element("svg:path", {class: kind, d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`}, title)
            : element("svg:circle", {class: kind, cx: x, cy: y,
                                     r: kind === "access" ? 3.5 : 5.5}, title);
    }

    // A lane for each actor, a column for each entry; a line from begin to end of a call.
    drawLanes() {
        const step = 16, height = 22, {log} = this.machine;
        const width = step * (log.length + 2), begun = {};
        const svg = $("lanes"), y = actor => (LANES.indexOf(actor) + .5) * height;
        $("lane-names").replaceChildren(...LANES.map(actor =>
            element("svg:text", {x: 6, y: y(actor) + 4}, ACTOR_NAMES[actor])));
        svg.replaceChildren(...LANES.map(actor =>
            element("svg:line", {x1: 0, x2: width, y1: y(actor), y2: y(actor)})));
        log.forEach(({actor, kind, text}, i) => {
            const x = step * (i + 1);
            if (kind === "begin")
                begun[actor] = x;
            if (kind !== "begin" && begun[actor] !== undefined) {
                svg.append(element("svg:line", {class: "span", x1: begun[actor], x2: x,
                                                y1: y(actor), y2: y(actor)}));
                begun[actor] = kind === "end" ? undefined : x;
            }
            svg.append(this.mark(kind, x, y(actor), `${ACTOR_NAMES[actor]} ${text}`));
        });
        svg.setAttribute("width", width);
        for (const drawn of [svg, $("lane-names")])
            drawn.setAttribute("height", LANES.length * height);
        $("lanes-scroll").scrollLeft = width;
    }
}

async function begin() {
    const module = await WebAssembly.compile(Uint8Array.from(atob(MODULE), c => c.charCodeAt(0)));
    const make = () => Engine.create(module, Engine.canStep());
    window.playground = new Page(await make(), await make());
}

begin();
