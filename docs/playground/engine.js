// SPDX-License-Identifier: BSD-2-Clause
// The module and its half-done calls. Read playground.c before.
//
// The module calls page.point before each atomic access. With JS promise integration
// (WebAssembly.Suspending) that import returns a promise, and the call stands still
// until the promise is resolved; without, calls are made whole. All calls share one
// memory and one __stack_pointer, so each has a stack of its own, and the pointer is put
// back whenever a call goes on. Only one call runs at any time.

const PATIENCE = 100; // accesses; a call that makes more waits for a lock
const ACCESS = ["reads", "writes", "changes"];

class Call {
    constructor(actor, name, args) {
        Object.assign(this, {actor, name, args, next: null, steps: 0, done: false,
                             off: 0, whole: true, stack: null, looked: new Set()});
    }
}

class Engine {
    static async create(module, stepping) {
        const engine = new Engine();
        const point = (...args) => engine.point(...args);
        const instance = await WebAssembly.instantiate(module, {page: {
            point: stepping ? new WebAssembly.Suspending(point) : point,
            interrupts: on => { engine.current.off += on ? -1 : 1; },
            send_ipi: (apic, vector) => {
                engine.settle(engine.current);
                engine.events.sendIpi(engine.current, apic, vector);
            },
            wake: vcpu => {
                engine.settle(engine.current);
                engine.events.wake(engine.current, vcpu);
            },
        }});
        Object.assign(engine, {stepping, exports: instance.exports, standing: new Set(),
                               events: null, current: null});
        engine.pristine = engine.memory().slice();
        return engine;
    }

    memory() {
        return new Uint8Array(this.exports.memory.buffer);
    }

    // As it was at first. An instance for each machine would do, too, but browsers have
    // room for few. Half-done calls are unwound by an exception.
    // events: access(call, access), sendIpi(call, apic, vector), wake(call, vcpu)
    async reset(events) {
        this.events = {access() {}, sendIpi() {}, wake() {}};
        for (const call of this.standing) {
            call.gone = true;
            call.quit(new Error("the machine is gone"));
            await call.returned;
        }
        this.standing.clear();
        this.memory().set(this.pristine);
        this.events = events;
    }

    static canStep() {
        return typeof WebAssembly.Suspending === "function" &&
            typeof WebAssembly.promising === "function";
    }

    word(at, bytes = 8) {
        const view = new DataView(this.exports.memory.buffer);
        return bytes === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    }

    setWord(at, value) {
        new DataView(this.exports.memory.buffer).setBigUint64(at, value, true);
    }

    // The module is about to make an access.
    point(kind, at, bytes) {
        const call = this.current;
        if (call.actor === null) // set-up, and a choice: no steps
            return undefined;
        this.settle(call);
        this.checkStack(call);
        at >>>= 0;
        call.next = {kind, at, bytes, place: this.exports.see_place(at),
                     before: this.word(at, bytes)};
        call.steps++;
        if (!this.stepping || call.whole && call.steps < PATIENCE)
            return undefined;
        call.stack = this.exports.__stack_pointer.value;
        this.standing.add(call);
        return new Promise((go, quit) => {
            Object.assign(call, {go, quit});
            call.arrived();
        });
    }

    // A call on the stack of another would overwrite what that one has there.
    checkStack(call) {
        const at = this.exports.__stack_pointer.value;
        const [end, top] = [call.slot, call.slot + 1].map(this.exports.stack_bottom);
        if (at <= end || at > top)
            throw new Error(`${call.actor} is on the stack of another call`);
    }

    // The access that the call stood before has been made.
    settle(call) {
        const access = call.next;
        if (!access)
            return;
        call.next = null;
        access.after = this.word(access.at, access.bytes);
        this.events.access(call, access);
    }

    end(call, result) {
        this.settle(call);
        call.done = true;
        call.result = result;
    }

    // Resolved when the call has returned or, unless it is whole, stands before an
    // access. slot: which of the stacks it gets.
    async begin(call, slot) {
        const run = this.exports["call_" + call.name];
        this.current = call;
        call.slot = slot;
        this.exports.__stack_pointer.value = this.exports.stack_bottom(slot + 1);
        if (!this.stepping) {
            this.end(call, run(...call.args));
            return;
        }
        const arrived = new Promise(resolve => { call.arrived = resolve; });
        call.returned = WebAssembly.promising(run)(...call.args)
            .then(result => this.end(call, result), error => {
                if (!call.gone)
                    throw error;
            });
        await Promise.race([arrived, call.returned]);
    }

    // One access, and what follows up to the next.
    async step(call) {
        this.current = call;
        this.standing.delete(call);
        this.exports.__stack_pointer.value = call.stack;
        const arrived = new Promise(resolve => { call.arrived = resolve; });
        call.go();
        await Promise.race([arrived, call.returned]);
    }
}
