// SPDX-License-Identifier: BSD-2-Clause
// The host around the library: threads of vCPUs, local APICs, a device, and what a
// processor does with a posted interrupt. Each action is a word of a link, for example
// "run.1.0" (vCPU 1 on pCPU 0); "~run.1.0" stops the call before each atomic access,
// "step.v1.2" makes two accesses of that call, "finish.v1" the rest.

const PCPUS = 2, VCPUS = 3, ANV = 0xf2, WNV = 0xf1;
const ACTORS = ["v0", "v1", "v2", "h0", "h1", "cpu", "admin"];
const LANES = [...ACTORS, "device"];
const ACTOR_NAMES = {
    v0: "vCPU 0's thread", v1: "vCPU 1's thread", v2: "vCPU 2's thread",
    h0: "handler of pCPU 0", h1: "handler of pCPU 1", cpu: "another CPU",
    admin: "administrator", device: "device",
};
const BLOCK_RESULTS = ["BLOCKED", "PENDING", "OFFLINE", "NOVECTOR"];
const POST_RESULTS = ["NOTIFY", "ALREADY", "SUPPRESSED"];
const WINDOWS = ["none", "pir-unseen", "on-unseen", "two-steps", "listed-last",
                 "list-unlocked", "cleared-late", "flag-first"];
// ours: sched.h. list: a list with a lock, no window. The others are broken.
const DESIGNS = ["ours", "list", ...WINDOWS.slice(1)];

const vectorName = vector =>
    vector === ANV ? "ANV" : vector === WNV ? "WNV" : String(vector);
const number = text => /^\d{1,3}$/.test(text ?? "") ? Number(text) : NaN;
const below = (n, end) => n >= 0 && n < end;

function bitsOf(value, first = 0) {
    const out = [];
    for (let i = 0; value >> BigInt(i); i++)
        if (value >> BigInt(i) & 1n)
            out.push(first + i);
    return out;
}

function control(word) {
    return {on: Number(word & 1n), sn: Number(word >> 1n & 1n),
            nv: Number(word >> 16n & 0xffn), ndst: Number(word >> 32n)};
}

function controlText(word) {
    const c = control(word);
    return `ON ${c.on}, SN ${c.sn}, NV ${vectorName(c.nv)}, NDST ${c.ndst}`;
}

const setText = (list, nothing = "nothing") => list.length ? list.join(", ") : nothing;

// Kinds of enum place in design.h.
const PLACE_PIR = 1, PLACE_CONTROL = 2, PIR_WORDS = 4;

// What an access is at: its name, and its value in words. The numbers are those of
// enum place in design.h.
function placeText(place) {
    const of = place >> 8 & 0xff, word = place >> 16;
    const count = value => String(value);
    const vcpus = value => setText(bitsOf(value).map(v => "vCPU " + v), "no vCPU");
    const entry = value => value ? `vCPU ${value - 1n}` : "the end";
    return [
        ["a word of the host", count],
        [`PIR of vCPU ${of}, vectors ${word * 64} to ${word * 64 + 63}`,
         value => setText(bitsOf(value, word * 64), "empty")],
        [`the control word of vCPU ${of}`, controlText],
        [`the blocked bits of pCPU ${of}`, vcpus],
        [`the wake marks of pCPU ${of}`, vcpus],
        [`the summary of pCPU ${of}`, count],
        [`the online flag of pCPU ${of}`, count],
        [of < PCPUS ? `the handlers' sequence of pCPU ${of}` : "the scans' sequence", count],
        [`the cookie of vCPU ${of}`, null],
        [`the head of the list of pCPU ${of}`, entry],
        [`the link behind vCPU ${of}`, entry],
        [`the lock of pCPU ${of}`, value => value ? "taken" : "free"],
        ["the number of pages", count],
        ["the address of the PID page", null],
        [`the count of choices of pCPU ${of}`, null],
    ][place & 0xff];
}

function accessText(access) {
    const [name, value] = placeText(access.place);
    if (!value)
        return `${ACCESS[access.kind]} ${name}`;
    const before = value(access.before);
    if (access.kind === 0)
        return `reads ${name}: ${before}`;
    return access.before === access.after ? `leaves ${name} as it is: ${before}`
        : `${ACCESS[access.kind]} ${name}: ${before} \u2192 ${value(access.after)}`;
}

const nextText = access => `${ACCESS[access.kind]} ${placeText(access.place)[0]}`;

class Machine {
    // The engine is this machine's from now on: a machine that had it before is dead.
    static async create(engine, design) {
        const machine = new Machine();
        Object.assign(machine, {design, engine, exports: engine.exports,
                                stepping: engine.stepping, log: [], calls: {}, done: []});
        machine.vcpus = Array.from({length: VCPUS}, () =>
            ({state: "preempted", on: null, woken: false, taken: []}));
        machine.pcpus = Array.from({length: PCPUS}, () => ({apic: new Set(), gone: false}));
        await engine.reset({
            access: (call, access) => call.actor && machine.access(call, access),
            sendIpi: (call, apic, vector) => machine.sendIpi(call.actor, apic, vector),
            wake: (call, vcpu) => machine.wake(call.actor, vcpu),
        });
        const init = new Call(null, "init", [Number(design !== "ours"),
                                             Math.max(WINDOWS.indexOf(design), 0)]);
        await machine.engine.begin(init, ACTORS.length);
        if (init.result !== 0)
            throw new Error(`the library says ${init.result}`);
        return machine;
    }

    note(actor, kind, text) {
        this.log.push({actor, kind, text});
    }

    pid(v) {
        const at = this.exports.see_pid(v);
        const pir = [0, 1, 2, 3].map(i => this.engine.word(at + 8 * i));
        return {at, pir, posted: pir.flatMap((word, i) => bitsOf(word, 64 * i)),
                ...control(this.engine.word(at + 32))};
    }

    blocked(p) {
        return bitsOf(BigInt(this.exports.see_blocked(p)));
    }

    occupant(p) {
        return this.vcpus.findIndex(v => v.on === p);
    }

    // What comes from the library.

    // A look at PIR counts from the latest change of the control word on: before that
    // change a post may have found SN or ON set, and has told nobody.
    access(call, access) {
        const kind = access.place & 0xff;
        if (kind === PLACE_PIR)
            call.looked.add(access.place);
        if (kind === PLACE_CONTROL && access.before !== access.after)
            call.looked.clear();
        this.note(call.actor, "access", accessText(access));
    }

    // Of a call that had to look at the PIR of its vCPU last.
    noteLook(call, v) {
        const {posted} = this.pid(v);
        if (call.looked.size < PIR_WORDS)
            this.note(call.actor, "missed", "has not looked at PIR, " +
                (posted.length ? `where ${setText(posted)} waits` : "which is empty"));
    }

    sendIpi(actor, p, vector) {
        const lost = this.pcpus[p].gone;
        if (!lost)
            this.pcpus[p].apic.add(vector);
        this.note(actor, "ipi", `sends ${vectorName(vector)} to pCPU ${p}` +
            (lost ? ", which is offline: lost" : ""));
    }

    wake(actor, v) {
        const vcpu = this.vcpus[v];
        vcpu.woken = true;
        if (vcpu.state === "asleep")
            vcpu.state = "runnable";
        this.note(actor, "wake", `wakes vCPU ${v}`);
    }

    // Why an action cannot be done now; null if it can.

    whyThread(v) {
        const {on} = this.vcpus[v];
        if (this.calls["v" + v])
            return `vCPU ${v} is in the middle of a call`;
        if (on !== null && this.calls["h" + on])
            return `pCPU ${on} is in its wakeup handler`;
        return null;
    }

    whyOnPcpu(v) {
        return this.vcpus[v].on === null ? `vCPU ${v} is on no pCPU` : this.whyThread(v);
    }

    whyRun(v, p) {
        const vcpu = this.vcpus[v];
        if (vcpu.state === "asleep")
            return `vCPU ${v} sleeps, and nobody has woken it`;
        if (vcpu.state === "guest" && vcpu.on === p)
            return `vCPU ${v} runs on pCPU ${p} already`;
        if (this.pcpus[p].gone || !this.exports.see_online(p))
            return `pCPU ${p} is offline`;
        if (this.occupant(p) >= 0 && this.occupant(p) !== v)
            return `vCPU ${this.occupant(p)} is on pCPU ${p}`;
        if (this.calls["h" + p])
            return `pCPU ${p} is in its wakeup handler`;
        return this.whyThread(v);
    }

    whyTake(p, vector) {
        const thread = this.calls["v" + this.occupant(p)];
        if (!this.pcpus[p].apic.has(vector))
            return `${vectorName(vector)} is not pending on pCPU ${p}`;
        if (this.calls["h" + p])
            return `pCPU ${p} is in its wakeup handler`;
        return thread && thread.off > 0 ? `interrupts are off on pCPU ${p}` : null;
    }

    whyOffline(p) {
        if (this.calls.admin)
            return "the administrator is in the middle of a call";
        if (this.pcpus[p].gone)
            return `pCPU ${p} is offline already`;
        if (this.occupant(p) >= 0)
            return `vCPU ${this.occupant(p)} is on pCPU ${p}`;
        return this.calls["h" + p] ? `pCPU ${p} is in its wakeup handler` : null;
    }

    whyOnline(p) {
        if (this.calls.admin)
            return "the administrator is in the middle of a call";
        return this.pcpus[p].gone ? null : `pCPU ${p} is online`;
    }

    whyStep(actor) {
        const v = actor[0] === "v" ? Number(actor[1]) : -1;
        if (!this.calls[actor])
            return `${ACTOR_NAMES[actor]} has no half-done call`;
        if (v >= 0 && this.calls["h" + this.vcpus[v].on])
            return "the wakeup handler has interrupted this call";
        return null;
    }

    // A word of a link, taken apart: what it asks for, why not now, and how to do it.
    // Null: not a word that the playground knows.
    action(word) {
        const stop = word.startsWith("~");
        const [name, ...rest] = word.slice(stop ? 1 : 0).split(".");
        if ((name === "step" || name === "finish") && !stop && ACTORS.includes(rest[0]))
            return this.stepAction(name, rest[0], rest.length > 1 ? number(rest[1]) : 1);
        const [a, b, c] = rest.map(number);
        const whole = !stop || !this.stepping;
        const make = Machine.actions[name];
        if (!make || rest.length !== make.length - 1 + (name === "post" && rest.length === 3))
            return null;
        const made = make({machine: this, whole}, a, b, c);
        return made && (!stop || made.call) ? {word, ...made} : null;
    }

    stepAction(name, actor, count) {
        if (!(count >= 0))
            return null;
        return {why: () => this.whyStep(actor),
                act: () => this.go(actor, name === "step" ? count : PATIENCE)};
    }

    // Steps and finishes of calls that were made whole, or are over, are left out.
    async perform(word) {
        const action = this.action(word);
        if (!action)
            return `"${word}" is no word that the playground knows`;
        const why = action.why();
        if (why)
            return why;
        await action.act();
        this.done.push(word);
        return null;
    }

    async begin(actor, whole, text, name, args, end = () => "returns") {
        const call = new Call(actor, name, args);
        call.whole = whole;
        call.text = text;
        call.finish = end;
        this.calls[actor] = call;
        this.note(actor, "begin", text);
        await this.engine.begin(call, ACTORS.indexOf(actor));
        this.ended(call);
    }

    async go(actor, count) {
        const call = this.calls[actor];
        const end = call.steps + count;
        while (!call.done && call.steps < end && !this.whyStep(actor))
            await this.engine.step(call);
        this.ended(call);
    }

    ended(call) {
        if (!call.done)
            return;
        delete this.calls[call.actor];
        this.note(call.actor, "end", call.finish(call.result, call));
        if (!this.exports.see_stacks_whole())
            throw new Error("a stack of the module has overflowed");
    }

    async run(v, p, whole) {
        const vcpu = this.vcpus[v];
        Object.assign(vcpu, {state: "calls", on: p});
        await this.begin("v" + v, whole, `is scheduled in on pCPU ${p}: run, harvest`,
            "run", [v, p], (_, call) => {
                const at = this.exports.see_taken(v);
                this.noteLook(call, v);
                const taken = [0, 1, 2, 3].flatMap(
                    i => bitsOf(this.engine.word(at + 8 * i), 64 * i));
                vcpu.taken.push(...taken);
                vcpu.state = "guest";
                return `harvested ${setText(taken)}; enters the guest`;
            });
    }

    async preempt(v, whole) {
        this.vcpus[v].state = "calls";
        await this.begin("v" + v, whole, "is scheduled out: preempt", "preempt", [v], () => {
            Object.assign(this.vcpus[v], {state: "preempted", on: null});
            return "is off its pCPU";
        });
    }

    async block(v, p, whole) {
        const vcpu = this.vcpus[v];
        Object.assign(vcpu, {state: "calls", woken: false});
        await this.begin("v" + v, whole, `halts: block on pCPU ${p}`, "block", [v, p],
            (result, call) => {
                if (result !== 0) {
                    vcpu.state = "host";
                    return `gets ${BLOCK_RESULTS[result]} from block: no sleep`;
                }
                this.noteLook(call, v);
                vcpu.on = null;
                vcpu.state = vcpu.woken ? "runnable" : "asleep";
                return "gets BLOCKED from block: " + (vcpu.woken ? "woken already, no sleep" : "sleeps");
            });
    }

    async choose(v, whole) {
        const call = new Call(null, "choose", [this.vcpus[v].on]);
        await this.engine.begin(call, ACTORS.length);
        this.note("v" + v, "guest", call.result < PCPUS ? `chooses pCPU ${call.result}`
            : "finds no pCPU to block on");
        if (call.result < PCPUS)
            await this.block(v, call.result, whole);
    }

    async post(v, vector, urgent, whole) {
        await this.begin("cpu", whole, `posts ${vector} to vCPU ${v}` + (urgent ? ", urgent" : ""),
            "post", [v, vector, urgent], result => `gets ${POST_RESULTS[result]} from post`);
    }

    // A unit changes PIR and ON in one step, then sends.
    device(v, vector) {
        const pid = this.pid(v), word = pid.at + 8 * (vector >> 6);
        const notify = !pid.on && !pid.sn;
        this.engine.setWord(word, this.engine.word(word) | 1n << BigInt(vector & 63));
        this.note("device", "post", `posts ${vector} to vCPU ${v}` +
            (notify ? "" : pid.sn ? "; SN is set: ON stays, no notification"
                : "; ON is set already: no notification"));
        if (notify) {
            this.engine.setWord(pid.at + 32, this.engine.word(pid.at + 32) | 1n);
            this.sendIpi("device", pid.ndst, pid.nv);
        }
    }

    async handle(p, whole) {
        this.pcpus[p].apic.delete(WNV);
        await this.begin("h" + p, whole, "takes WNV: the wakeup handler", "handle", [p]);
    }

    // In the guest the processor clears ON and takes PIR; in the host: EOI.
    active(p) {
        const v = this.occupant(p);
        this.pcpus[p].apic.delete(ANV);
        if (v < 0 || this.vcpus[v].state !== "guest") {
            this.note("h" + p, "guest", "takes ANV in the host: EOI, and nothing else");
            return;
        }
        const pid = this.pid(v);
        this.engine.setWord(pid.at + 32, this.engine.word(pid.at + 32) & ~1n);
        for (let i = 0; i < 4; i++)
            this.engine.setWord(pid.at + 8 * i, 0n);
        this.vcpus[v].taken.push(...pid.posted);
        this.note("v" + v, "guest", "takes ANV in the guest: the processor clears ON and " +
            `delivers ${setText(pid.posted)}`);
    }

    async offline(p, whole) {
        await this.begin("admin", whole, `takes pCPU ${p} offline`, "offline", [p], () => {
            this.pcpus[p].gone = true;
            this.pcpus[p].apic.clear();
            return `is done: pCPU ${p} takes no interrupt any more`;
        });
    }

    async online(p, whole) {
        this.pcpus[p].gone = false;
        await this.begin("admin", whole, `brings pCPU ${p} online`, "online", [p]);
    }

    // What the state comes to. lost: a sentence for each vCPU that has lost a wakeup or
    // a notification, judged when nothing is under way.
    verdict() {
        const way = Object.values(this.calls).map(
            call => `${ACTOR_NAMES[call.actor]} is in the middle of a call`);
        this.pcpus.forEach((pcpu, p) => pcpu.apic.forEach(
            vector => way.push(`${vectorName(vector)} is pending on pCPU ${p}`)));
        const lost = way.length ? [] : this.vcpus.map((vcpu, v) => {
            const pid = this.pid(v);
            const waits = (pid.posted.length > 1 ? "vectors " : "vector ") +
                `${pid.posted.join(", ")} ${pid.posted.length > 1 ? "wait" : "waits"} in PIR, ` +
                `ON = ${pid.on}`;
            if (!pid.posted.length)
                return null;
            if (vcpu.state === "asleep")
                return `vCPU ${v} sleeps, ${waits}, nobody will come.`;
            return vcpu.state === "guest"
                ? `vCPU ${v} is in the guest, ${waits}, no notification is on its way.` : null;
        }).filter(Boolean);
        return {way, lost};
    }

    // All of the state as lines of text.
    text() {
        const states = {preempted: "off its pCPU", host: "in the host, on", guest: "in the guest, on",
                        calls: "in a call, on", asleep: "asleep", runnable: "woken, waits for a pCPU"};
        const lines = this.vcpus.map((vcpu, v) => {
            const pid = this.pid(v);
            return `vCPU ${v}: ${states[vcpu.state]}${vcpu.on === null ? "" : " pCPU " + vcpu.on}. ` +
                `PIR ${setText(pid.posted, "empty")}, ON ${pid.on}, SN ${pid.sn}, ` +
                `NV ${vectorName(pid.nv)}, NDST ${pid.ndst}. ` +
                `Taken by the guest: ${setText(vcpu.taken)}.`;
        });
        this.pcpus.forEach((pcpu, p) => lines.push(
            `pCPU ${p}: ${this.exports.see_online(p) ? "online" : "offline"}, blocked here: ` +
            `${setText(this.blocked(p).map(v => "vCPU " + v), "no vCPU")}, ${this.extra(p)}, ` +
            `pending: ${setText([...pcpu.apic].map(vectorName))}.`));
        for (const call of Object.values(this.calls))
            lines.push(`${ACTOR_NAMES[call.actor]} ${call.text}; next it ${nextText(call.next)}.`);
        return lines;
    }

    extra(p) {
        if (this.design !== "ours")
            return "lock " + (this.exports.see_locked(p) ? "taken" : "free");
        const marks = bitsOf(BigInt(this.exports.see_marks(p))).map(v => "vCPU " + v);
        return `wake marks: ${setText(marks, "none")}, summary ${this.exports.see_summary(p)}`;
    }
}

// Each makes an action of numbers, or null for numbers that name nothing. "call": it can
// stop before each access.
Machine.actions = {
    run: ({machine, whole}, v, p) => below(v, VCPUS) && below(p, PCPUS) && {
        call: true, why: () => machine.whyRun(v, p), act: () => machine.run(v, p, whole)},
    preempt: ({machine, whole}, v) => below(v, VCPUS) && {
        call: true, why: () => machine.whyOnPcpu(v), act: () => machine.preempt(v, whole)},
    block: ({machine, whole}, v, p) => below(v, VCPUS) && below(p, PCPUS) && {
        call: true, why: () => machine.whyOnPcpu(v), act: () => machine.block(v, p, whole)},
    choose: ({machine, whole}, v) => below(v, VCPUS) && {
        call: true, why: () => machine.whyOnPcpu(v), act: () => machine.choose(v, whole)},
    post: ({machine, whole}, v, vector, urgent = 0) => below(v, VCPUS) && vector >= 16 &&
        vector < 256 && urgent <= 1 && {
        call: true, why: () => machine.calls.cpu ? "the other CPU is in the middle of a call" : null,
        act: () => machine.post(v, vector, urgent, whole)},
    device: ({machine}, v, vector) => below(v, VCPUS) && vector >= 16 && vector < 256 && {
        why: () => null, act: () => machine.device(v, vector)},
    wnv: ({machine, whole}, p) => below(p, PCPUS) && {
        call: true, why: () => machine.whyTake(p, WNV), act: () => machine.handle(p, whole)},
    anv: ({machine}, p) => below(p, PCPUS) && {
        why: () => machine.whyTake(p, ANV), act: () => machine.active(p)},
    offline: ({machine, whole}, p) => below(p, PCPUS) && {
        call: true, why: () => machine.whyOffline(p), act: () => machine.offline(p, whole)},
    online: ({machine, whole}, p) => below(p, PCPUS) && {
        call: true, why: () => machine.whyOnline(p), act: () => machine.online(p, whole)},
};
