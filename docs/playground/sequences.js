// SPDX-License-Identifier: BSD-2-Clause
// Prepared sequences: one for each window of list.c. "CUT" is the number of accesses
// after which a call is interrupted; cut is the number that the broken design loses by.

const SEQUENCES = [
    {
        design: "pir-unseen", races: "posts-under-sn", cut: 0,
        title: "Posts under SN",
        text: "The harvest looks at PIR only if ON is set. A device posts while SN is set: " +
            "PIR is filled, and ON stays clear.",
        words: ["run.1.0", "preempt.1", "device.1.41", "run.1.0", "block.1.0", "wnv.0", "run.1.0"],
    },
    {
        design: "on-unseen", races: "a-sleep-that-cannot-be-cancelled", cut: 0,
        title: "ON is not looked at",
        text: "Block arms the wakeup vector and does not look at ON. The notification of a " +
            "post just before went to ANV, which wakes no vCPU.",
        words: ["run.1.0", "device.1.41", "block.1.0", "anv.0", "wnv.0", "run.1.0"],
    },
    {
        design: "two-steps", races: "test-and-change-in-two-steps", cut: 1,
        title: "Test and change in two steps",
        text: "Block tests ON, and then arms the wakeup vector. A device posts between the two.",
        words: ["run.1.0", "~block.1.0", "step.v1.CUT", "device.1.41", "finish.v1", "anv.0",
                "wnv.0", "run.1.0"],
    },
    {
        design: "listed-last", races: "list-and-vector", cut: 5,
        title: "List and vector",
        text: "Block arms the wakeup vector before the vCPU is on the list. The wakeup " +
            "handler runs between the two, and finds no vCPU.",
        words: ["run.1.0", "~block.1.0", "step.v1.CUT", "device.1.41", "wnv.0", "finish.v1",
                "anv.0", "wnv.0", "run.1.0"],
    },
    {
        design: "list-unlocked", races: null, cut: 1,
        title: "A list without its lock",
        text: "Two vCPUs go on one list at once. Both read the same head, and the second " +
            "that writes the head drops the first.",
        words: ["run.0.0", "run.2.1", "~block.0.0", "step.v0.CUT", "block.2.0", "finish.v0",
                "finish.v2", "device.2.42", "wnv.0", "run.2.1"],
    },
    {
        design: "cleared-late", races: "clearing-late", cut: 5,
        title: "Clearing late",
        text: "The handler removes the vCPU that it has woken. By then the vCPU has run and " +
            "has blocked again, and the handler removes the new entry.",
        words: ["run.1.0", "block.1.0", "device.1.41", "~wnv.0", "step.h0.CUT", "run.1.1",
                "block.1.0", "finish.h0", "finish.v1", "device.1.42", "wnv.0", "run.1.1", "anv.1"],
    },
    {
        design: "flag-first", races: "block-against-offline", cut: 1,
        title: "Block against offline",
        text: "Block looks at the online flag before the vCPU is on the list. Between the " +
            "two the pCPU goes offline, and its scan finds no vCPU.",
        words: ["run.1.0", "~block.1.1", "step.v1.CUT", "offline.1", "finish.v1",
                "finish.admin", "device.1.41", "anv.0", "wnv.1", "run.1.0"],
    },
];

const cutIn = (sequence, cut) => sequence.words.map(word => word.replace("CUT", cut));
const hasCut = sequence => sequence.words.some(word => word.includes("CUT"));

// Whose word it is.
function actorOf(word) {
    const [name, of] = word.replace("~", "").split(".");
    return {post: "cpu", device: "device", wnv: "h" + of, anv: "h" + of, offline: "admin",
            online: "admin"}[name] ?? "v" + of;
}

// Plays words. Those that the state does not allow are left out, and the timeline has
// the reason; steps of a call that is over are left out silently.
async function play(machine, words) {
    for (const word of words) {
        const why = await machine.perform(word);
        if (why && !/^(step|finish)\./.test(word))
            machine.note(actorOf(word), "refused", `leaves out ${word}: ${why}`);
    }
}

// A sequence with its call interrupted before each of its accesses in turn. Yields the
// cut, the machine at the end, and what the call stood before; "" is the end of the call.
async function* everyCut(engine, design, sequence) {
    for (let cut = 0, at = null; at !== ""; cut++) {
        const machine = await Machine.create(engine, design);
        at = "";
        for (const word of cutIn(sequence, cut)) {
            await play(machine, [word]);
            const call = machine.calls[word.split(".")[1]];
            if (word.startsWith("step.") && call)
                at = nextText(call.next);
        }
        yield {cut, machine, at};
    }
}
