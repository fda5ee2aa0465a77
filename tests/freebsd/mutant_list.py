# SPDX-License-Identifier: BSD-2-Clause
"""Bugs that a port to bhyve can have: what is replaced, in which file. In the
port itself, and in the host, as if a hook were called in a wrong place, or not
at all. The miniature bhyve has to notice each. See mutants.py."""

from mutation import Mutant


def port(name, file, *pairs):
    path = f"examples/bhyve/vtdpi_bhyve{file}.c"
    return Mutant(name, tuple((path, a, b) for a, b in pairs))


def host(name, file, *pairs):
    path = f"tests/freebsd/mini/{file}.c"
    return Mutant("host: " + name, tuple((path, a, b) for a, b in pairs))


MERGE = "    return (vtdpi_vcpu_merge(&v->pi, v->apic));"
PENDING = "    const u_int highest = vtdpi_vcpu_merge(&v->pi, v->apic);"

MUTANTS = (
    # Harvest.
    port("harvest only if ON is set", "_vcpu", (
        MERGE,
        "    if ((vtdpi_pid_snapshot(vtdpi_vcpu_pid(&v->pi)) & VTDPI_PID_ON)"
        " == 0)\n        return (0);\n" + MERGE)),
    port("inject returns what was moved, not what is there", "_vcpu", (
        MERGE,
        "    uint64_t pir[4];\n"
        "    const bool any = vtdpi_pid_pir_pending(vtdpi_vcpu_pid(&v->pi));\n"
        "    const int highest = vtdpi_vcpu_merge(&v->pi, v->apic);\n"
        "    (void)pir;\n    return (any ? highest : 0);")),
    port("the check before a sleep does not clear ON", "_vcpu", (
        PENDING,
        "    uint64_t *const pir = vtdpi_vcpu_pid(&v->pi)->pir;\n"
        "    uint64_t copy[4];\n"
        "    for (u_int i = 0; i < 4; i++)\n"
        "        copy[i] = vtdpi_atomic_load64(&pir[i]);\n"
        "    const int posted = vtdpi_pir_highest(copy);\n"
        "    u_int highest = posted > 0 ? posted : 0;\n"
        "    for (int i = 7; i >= 0 && highest == 0; i--)\n"
        "        if (v->apic[0x80 + 4 * i] != 0)\n"
        "            highest = 31 + 32 * i;\n")),
    port("the check before a sleep ignores the priority", "_vcpu", (
        "(PRIORITY_CLASS(highest) > PRIORITY_CLASS(v->apic[APIC_PPR]))",
        "highest != 0")),
    port("the check before a sleep takes the same class", "_vcpu", (
        "PRIORITY_CLASS(highest) > PRI", "PRIORITY_CLASS(highest) >= PRI")),
    port("the check before a sleep looks at PIR alone", "_vcpu", (
        PENDING,
        "    uint64_t pir[4];\n"
        "    const bool any = vtdpi_pid_pir_pending(vtdpi_vcpu_pid(&v->pi));\n"
        "    const int merged = vtdpi_vcpu_merge(&v->pi, v->apic);\n"
        "    const u_int highest = any ? merged : 0;\n    (void)pir;")),
    port("discard does nothing", "_vcpu", (
        "    vtdpi_pid_discard(vtdpi_vcpu_pid(&v->pi));", "    (void)v;")),
    port("saving takes what it saves", "_vcpu", (
        "vtdpi_pid_peek(vtdpi_vcpu_pid(&v->pi), out->pir)",
        "vtdpi_pid_harvest(vtdpi_vcpu_pid(&v->pi), out->pir)")),
    port("saving saves nothing", "_vcpu", (
        "    out->pending = vtdpi_pid_peek(vtdpi_vcpu_pid(&v->pi), out->pir);\n",
        "    (void)v;\n")),
    port("restoring keeps what was posted before", "_vcpu", (
        "    vtdpi_bhyve_discard(v);\n    /* Take PIR, what",
        "    /* Take PIR, what")),
    port("restoring copies the descriptor", "_vcpu", (
        "    vtdpi_bhyve_discard(v);\n    /* Take PIR, what",
        "    memcpy(vtdpi_vcpu_pid(&v->pi), in, sizeof(*in));\n    return;\n"
        "    /* Take PIR, what")),

    # Placement.
    port("run names another CPU", "_vcpu", (
        "    vtdpi_vcpu_run(&v->pi, this_pcpu());",
        "    vtdpi_vcpu_run(&v->pi, &vtdpi_bhyve.pcpus[mp_maxid]);")),
    port("run does nothing", "_vcpu", (
        "    vtdpi_vcpu_run(&v->pi, this_pcpu());", "    (void)v;")),
    port("block does nothing", "_vcpu", (
        "    if (!vtdpi_bhyve.posting || atomic_load_int(&v->gvm->devs) == 0)\n"
        "        return;",
        "    return;")),
    port("block gives up when something is posted", "_vcpu", (
        "    rc = vtdpi_vcpu_block_committed(&v->pi, this_pcpu());\n"
        "    KASSERT(rc == VTDPI_BLOCKED, "
        "(\"vtdpi: CPU %d is offline\", curcpu));",
        "    rc = vtdpi_vcpu_block(&v->pi, this_pcpu());\n"
        "    if (rc == VTDPI_BLOCK_PENDING)\n"
        "        vtdpi_vcpu_preempt(&v->pi);")),
    port("block allocates with the vCPU's lock held", "_vcpu", (
        "    rc = vtdpi_vcpu_block_committed(&v->pi, this_pcpu());",
        "    free(malloc(16, M_VTDPI, M_WAITOK), M_VTDPI);\n"
        "    rc = vtdpi_vcpu_block_committed(&v->pi, this_pcpu());")),

    port("unblock does nothing", "_vcpu", (
        "void vtdpi_bhyve_unblock(struct vtdpi_bhyve_vcpu *v)\n{\n"
        "    vtdpi_vcpu_preempt(&v->pi);",
        "void vtdpi_bhyve_unblock(struct vtdpi_bhyve_vcpu *v)\n{\n"
        "    (void)v;")),

    # Wakeup handler.
    port("the wakeup handler sends no EOI", "_vcpu", (
        "    lapic_eoi();\n", "")),
    port("the wakeup handler looks at another CPU", "_vcpu", (
        "vtdpi_pcpu_handle_wakeup(this_pcpu(),",
        "vtdpi_pcpu_handle_wakeup(&vtdpi_bhyve.pcpus[mp_maxid],")),
    port("the wakeup handler wakes nobody", "_vcpu", (
        "    vcpu_notify_event(v->vcpu, true);", "    (void)v;")),
    port("the wakeup handler does not restore the frame", "_vcpu", (
        "    td->td_intr_frame = outer;\n", "")),
    port("the wakeup handler stays critical", "_vcpu", (
        "    td->td_intr_nesting_level--;\n    critical_exit();",
        "    td->td_intr_nesting_level--;")),
    port("the wakeup handler takes a mutex", "_vcpu", (
        "    lapic_eoi();\n",
        "    lapic_eoi();\n    sx_slock(&vtdpi_bhyve.lock);\n"
        "    sx_sunlock(&vtdpi_bhyve.lock);\n")),

    # Posting by software.
    port("no notification for a software post", "_vcpu", (
        "        vtdpi_vcpu_send(&v->pi, &n);", "        (void)v;")),
    port("a software post wakes nobody who set SN", "_vcpu", (
        "    } else if (n.result != VTDPI_POST_ALREADY) {",
        "    } else if (n.result == VTDPI_POST_NOTIFY) {")),
    port("a software post may be preempted", "_vcpu", (
        "    critical_enter();\n    n = vtdpi_pid_post",
        "    n = vtdpi_pid_post"), (
        "        vtdpi_bhyve_notify(v);\n    }\n    critical_exit();",
        "        vtdpi_bhyve_notify(v);\n    }")),

    # Entries.
    port("no invalidation", "_dmar", (
        "    vtdpi_flush_add(flush, first, count);",
        "    (void)flush;\n    (void)first;\n    (void)count;")),
    port("no global invalidation where ranges do not fit", "_dmar", (
        "    if (flush->global)\n        error = ",
        "    if (flush->global)\n        return (0);\n"
        "    if (flush->global)\n        error = ")),
    port("no draining read", "_dmar", (
        "        vtdpi_dmar_ops->drain(unit->number);", "        (void)0;")),
    port("a re-bound host form is not kept", "_dmar", (
        "        rc = vtdpi_irq_set_host(&unit->adopted[index]->irq, host);",
        "        rc = host != NULL ? 0 : 1;")),
    port("a re-bind does not know that the driver has the lock", "_dmar", (
        "        atomic_store_rel_long(&unit->rebinder, (u_long)curthread);\n",
        "")),
    port("a re-bind does not wait for who changes the entry", "_dmar", (
        "            rebind_wait(unit);", "            return (0);")),
    port("the kernel re-binds a posted entry itself", "_dmar", (
        "    if (unit == NULL || index >= unit->irte_cnt || "
        "unit->adopted[index] == NULL)",
        "    if (unit == NULL || index < unit->irte_cnt || "
        "unit->adopted[index] == NULL)")),
    port("a unit's number is taken for its place", "_dmar", (
        "        if (vtdpi_bhyve.units[i].number == number)\n",
        "        if (i == number)\n")),
    port("the units behind a hole are not seen", "_dmar", (
        "            continue; /* a hole in the numbers */",
        "            break;")),
    port("a reason names the index of a unit, not its number", "", (
        "where == VTDPI_VERDICT_WHERE_UNIT\n"
        "               ? vtdpi_bhyve.units[r->where].number\n"
        "               : r->where",
        "r->where")),
    port("an overwritten entry is not counted", "_dmar", (
        "    if (rc == VTDPI_EAGAIN)\n        vtdpi_bhyve_count(",
        "    if (rc == VTDPI_EBUSY)\n        vtdpi_bhyve_count(")),
    port("an overwritten entry is not cleared", "_dmar", (
        "        rc = vtdpi_irq_teardown(&msg->irq);\n", "")),
    port("release takes no message away", "_dmar", (
        "    unbind(gvm, &msg->binding, vtdpi_vm_unbind);\n", "")),
    port("release does not apply", "_dmar", (
        "    mtx_lock_spin(&gvm->lock);\n"
        "    rc = vtdpi_bhyve_apply(gvm, &b, 1);\n    if (",
        "    rc = 0;\n    if (")),
    port("release does not end the binding", "_dmar", (
        "    unbind(gvm, &msg->binding, vtdpi_vm_unbind_end);\n", "")),
    port("a failed flush is not repeated", "_vm", (
        "    if (rc == VTDPI_EIO) {", "    if (rc == VTDPI_ENOPI) {")),
    port("release keeps the index", "_dmar", (
        "    unit->adopted[vtdpi_irq_index(&msg->irq)] = NULL;\n", "")),
    port("entries are changed without the unit's lock", "_dmar", (
        "        vtdpi_dmar_ops->lock(unit_number(ctx));", "        (void)0;"), (
        "        vtdpi_dmar_ops->unlock(unit_number(ctx));",
        "        (void)0;")),
    port("the unit's lock stays after a flush", "_dmar", (
        "        vtdpi_dmar_ops->unlock(unit_number(ctx));",
        "        (void)0;")),
    port("a vCPU that sleeps is not told of its first device", "_ppt", (
        "    vtdpi_bhyve_vm_notify(gvm);\n", "")),
    port("the rebind function stays behind", "_dmar", (
        "    vtdpi_dmar_ops->set_rebind(NULL);\n", "")),

    # Devices.
    port("teardown keeps posting", "_ppt", (
        "    vtdpi_bhyve_dmar_release(d->gvm, m);\n", "")),
    port("a changed message is not followed", "_ppt", (
        "    msg_follow(d, m);\n    return (true);",
        "    return (true);")),
    port("a changed message is decided on and not applied", "_ppt", (
        "    vtdpi_bhyve_follow(d->gvm, &b, 1);",
        "    mtx_unlock_spin(&d->gvm->lock);")),
    port("a delivery does not keep out changes of APICs", "_ppt", (
        "    mtx_lock_spin(&gvm->apics_lock);\n", ""), (
        "    mtx_unlock_spin(&gvm->apics_lock);\n", "")),
    port("a delivery takes the decide lock inside", "_ppt", (
        "    mtx_assert(&gvm->apics_lock, MA_OWNED);\n",
        "    mtx_lock_spin(&((struct vtdpi_bhyve_vm *)ctx)->lock);\n"
        "    mtx_unlock_spin(&((struct vtdpi_bhyve_vm *)ctx)->lock);\n")),
    port("what cannot be posted is not delivered", "_ppt", (
        "        vtdpi_bhyve_post(v, msg->vector);", "        (void)0;")),
    port("messages are not freed", "_ppt", (
        "    free(d->msgs, M_VTDPI);\n", "")),

    # VMs and the module.
    port("a changed APIC is not looked at", "_vm", (
        "    atomic_store_rel_int(&v->stale, 1);\n"
        "    atomic_store_rel_int(&gvm->stale, 1);\n", "")),
    port("a changed APIC is not recorded", "_vm", (
        "    set_apic(v, apic_base);\n", "    (void)apic_base;\n")),
    port("a vCPU goes on while another applies its change", "_vm", (
        "v->stale != 0 ? v->since : vtdpi_vm_flights(&gvm->pi);",
        "vtdpi_vm_flights(&gvm->pi);")),
    port("a vCPU that comes is not seen", "_vm", (
        "    /* vCPUs are made when they are first used: a device may be there. */\n"
        "    vtdpi_bhyve_follow(gvm, NULL, 0);",
        "    mtx_unlock_spin(&gvm->lock);")),
    port("a vCPU that goes is detached and its interrupts are not", "_vm", (
        "    gvm->vcpus[v->vcpuid] = NULL;\n    apics_unlock(gvm);\n"
        "    vtdpi_bhyve_follow(gvm, NULL, 0);",
        "    gvm->vcpus[v->vcpuid] = NULL;\n    apics_unlock(gvm);\n"
        "    mtx_unlock_spin(&gvm->lock);")),
    port("the VM keeps its hold on a vCPU that goes", "_vm", (
        "    rc = vtdpi_vm_detach(&gvm->pi, v->vcpuid);", "    rc = 0;")),
    port("the decide lock is held over the work", "_vm", (
        "    vtdpi_vm_apply(work);\n    mtx_lock_spin(&gvm->lock);",
        "    mtx_lock_spin(&gvm->lock);\n    vtdpi_vm_apply(work);")),
    port("a work is begun and not ended", "_vm", (
        "    rc = vtdpi_vm_end(&gvm->pi, work);", "    rc = 0;")),
    port("who waits for a work is not woken", "_vm", (
        "    wakeup(gvm);", "    (void)gvm;")),
    port("what is due again is left so", "_vm", (
        "    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE)\n",
        "    while (rc > 0 || rc == VTDPI_EINFLIGHT)\n")),
    port("what another thread has in flight is taken for done", "_vm", (
        "    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE)\n",
        "    while (rc > 0 || rc == VTDPI_EDUE)\n")),
    port("malloc(9) where memory has to be contiguous", "_pool", (
        "contigmalloc(PAGE_SIZE, M_VTDPI, M_WAITOK | M_ZERO, 0,\n"
        "                                     ~(vm_paddr_t)0, PAGE_SIZE, 0)",
        "malloc(PAGE_SIZE, M_VTDPI, M_WAITOK | M_ZERO)")),
    port("posting without a wakeup vector", "", (
        "verdict == VTDPI_VERDICT_POSTING && vtdpi_bhyve.wnv >= 0;",
        "verdict == VTDPI_VERDICT_POSTING;")),
    port("a failed set-up leaves what it has made", "", (
        "        vtdpi_bhyve_modcleanup();\n        return (error);",
        "        vtdpi_bhyve.up = false;\n        return (error);")),
    port("the wakeup vector is not freed", "", (
        "        lapic_ipi_free(vtdpi_bhyve.wnv);", "        (void)0;")),
    port("the wakeup entry is not mapped in user mode", "", (
        "    pmap_pti_add_kva(page, page + PAGE_SIZE, true);",
        "    (void)page;"), (
        "    pmap_pti_remove_kva(page, page + PAGE_SIZE);", "    (void)page;")),
    port("the wakeup entry stays mapped in user mode", "", (
        "    pmap_pti_remove_kva(page, page + PAGE_SIZE);", "    (void)page;")),
    port("the plain wakeup entry under page-table isolation", "", (
        "pti != 0 ? &Xvtdpi_wakeup_pti : &Xvtdpi_wakeup",
        "&Xvtdpi_wakeup")),
    port("intpost=off is not heard", "", (
        "    if (vtdpi_caps_options_parse(options_text, options, NULL) != 0)",
        "    if (vtdpi_caps_options_parse(\"\", options, NULL) != 0)")),

    # Hooks.
    host("no harvest before the entry", "vmx", (
        "        mini_apic_inject(v);\n", "")),
    host("interrupts on between harvest and entry", "vmx", (
        "        mini_apic_inject(v);\n",
        "        mini_apic_inject(v);\n        enable_intr();\n"
        "        disable_intr();\n")),
    host("RVI is not raised", "account", (
        "    v->rvi = vector;", "    (void)vector;")),
    host("RVI stays if it is larger", "account", (
        "    v->rvi = vector;", "    v->rvi = MAX(v->rvi, vector);")),
    host("the vCPU is run after the critical section", "vmm", (
        "        critical_enter();\n        change_state(v, MINI_RUNNING);",
        "        change_state(v, MINI_RUNNING);"), (
        "        change_state(v, MINI_FROZEN);\n        critical_exit();",
        "        change_state(v, MINI_FROZEN);")),
    host("no block before the sleep", "vmm", (
        "            vtdpi_bhyve_block(v->pi);", "            (void)0;")),
    host("no check before the sleep", "vmm", (
        "    if (!intr_disabled && mini_apic_pending(v))\n"
        "        return true;\n", "")),
    host("block while interrupts are off in the guest", "vmm", (
        "v->pi != NULL && !intr_disabled;", "v->pi != NULL;")),
    host("the host interrupt goes first", "ppt", (
        "    vtdpi_bhyve_msg_teardown(dev->pi, msg);\n"
        "    mini_irq_teardown(m->irq, dev, msg);\n",
        "    mini_irq_teardown(m->irq, dev, msg);\n"), (
        "    vtdpi_bhyve_msg_free(dev->pi);\n"
        "    for (u_int i = 0; i < dev->msgs; i++)\n"
        "        mini_irq_free(dev->msg[i].irq);\n",
        "    for (u_int i = 0; i < dev->msgs; i++)\n"
        "        mini_irq_free(dev->msg[i].irq);\n"
        "    vtdpi_bhyve_msg_free(dev->pi);\n")),
    host("a VM goes before its device", "directed", (
        "    mini_vm_stop(s->vm);\n    mini_ppt_unassign(&s->dev);\n",
        "    mini_vm_stop(s->vm);\n    mini_vm_destroy(s->vm);\n"
        "    mini_ppt_unassign(&s->dev);\n")),
    host("no lock of the device", "ppt", (
        "    vtdpi_bhyve_dev_lock(dev->pi);\n    alloc(dev);",
        "    alloc(dev);"), (
        "    (void)__atomic_fetch_add(&m->seq, 1, __ATOMIC_SEQ_CST);\n"
        "    vtdpi_bhyve_dev_unlock(dev->pi);",
        "    (void)__atomic_fetch_add(&m->seq, 1, __ATOMIC_SEQ_CST);")),
    host("the VMCS keeps the old descriptor", "vmm", (
        "v->apic, &v->pid_pa);",
        "v->apic, v->pid_pa == 0 ? &v->pid_pa : &(uint64_t){0});")),
    host("ppt.c takes its lock inside the device's", "ppt", (
        "    ppt_enter();\n    vtdpi_bhyve_dev_lock(dev->pi);\n    alloc(dev);",
        "    vtdpi_bhyve_dev_lock(dev->pi);\n    ppt_enter();\n    alloc(dev);")),
    host("no discard at a reset", "vmm", (
        "        vtdpi_bhyve_discard(v->pi);\n", "        (void)0;\n")),
    host("routes are never looked at again", "vmm", (
        "            vtdpi_bhyve_reroute(v->pi);\n",
        "            (void)0;\n")),
    host("the secondary controls stay when the port is not there", "vmx", (
        "    controls.secondary &= ~(uint32_t)SECONDARY_VID;\n", "")),
    host("the pin-based controls stay when the port is not there", "vmx", (
        "    controls.pin &= ~(uint32_t)PIN_POSTED;\n", "")),
    host("pirvec stays when the port is not there", "vmx", (
        "    controls.pin &= ~(uint32_t)PIN_POSTED;\n"
        "    if (mini_pirvec >= 0)\n        lapic_ipi_free(mini_pirvec);\n",
        "    controls.pin &= ~(uint32_t)PIN_POSTED;\n")),
)

LISTS = {"bugs": MUTANTS}
