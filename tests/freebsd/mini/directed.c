/* SPDX-License-Identifier: BSD-2-Clause */
/* One thing at a time: where a vCPU is when its interrupt comes, and what
 * happens to an entry while it is posted. */
#include "play.h"

#include "vtdpi/model.h"

enum {
    LOW = 0x41,
    HIGH = 0xa2,
};

/* A VM of two vCPUs and a device on unit 0. */
struct stage {
    struct vm *vm;
    struct mini_device dev;
};

static void stage_begin(struct stage *s, const struct mini_run *run, bool hlt)
{
    play_begin(run, 0);
    s->vm = mini_vm_create(2, hlt);
    mini_ppt_attach(&s->dev, "ppt0", 0, 0x0310, run->seed % 3 == 0);
    mini_ppt_assign(&s->dev, s->vm);
}

static void stage_end(struct stage *s)
{
    mini_vm_stop(s->vm);
    mini_ppt_unassign(&s->dev);
    play_add_device(&s->dev);
    play_add_vm(s->vm);
    mini_ppt_detach(&s->dev);
    mini_vm_destroy(s->vm);
    play_end();
}

static bool is_posted(const struct stage *s)
{
    u_int unit = 0;
    u_int index = 0;

    mini_check(mini_irq_entry(s->dev.msg[0].irq, &unit, &index));
    return mini_dmar_is_posted(unit, index);
}

static void raise(struct stage *s)
{
    mini_check(mini_device_raise(&s->dev, 0));
}

/* In the guest, which halts there: the notification alone does it. */
void mini_running(const struct mini_run *run)
{
    struct stage s;
    uint64_t sleeps;

    stage_begin(&s, run, false);
    mini_vm_start(s.vm);
    play_program(&s.dev, 1, LOW);
    mini_check(is_posted(&s));
    for (u_int i = 1; i <= 20; i++) {
        shim_quiesce();
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[1], LOW) == i);
        /* The same by software, from a thread. */
        mini_apic_post(&s.vm->vcpu[1], HIGH);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[1], HIGH) == i);
    }
    mini_check(s.dev.posted == 20 && s.dev.remapped == 0);
    mini_check(s.vm->vcpu[1].processed > 0);
    sleeps = s.vm->vcpu[1].sleeps;
    mini_check(sleeps == 0);
    stage_end(&s);
}

/* While it exits and enters: what comes between the harvest and the entry stays
 * pending in the local APIC, and is processed in the guest. */
void mini_entry(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;

    stage_begin(&s, run, false);
    v = &s.vm->vcpu[1];
    mini_vm_start(s.vm);
    play_program(&s.dev, 1, LOW);
    for (u_int i = 1; i <= 60; i++) {
        shim_quiesce();
        vcpu_notify_event(v, false);
        for (u_int j = shim_random(12); j > 0; j--)
            shim_relax();
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(v, LOW) == i);
    }
    stage_end(&s);
}

/* Not in vm_run() at all: it waits, nobody is notified, and the next entry
 * takes it. */
void mini_frozen(const struct mini_run *run)
{
    struct stage s;
    uint64_t before;

    stage_begin(&s, run, true);
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    mini_vm_stop(s.vm);
    /* An IPI that asked a vCPU's thread to leave its CPU may not be taken yet. */
    shim_quiesce();
    before = shim_counters().interrupts;
    for (u_int i = 0; i < 5; i++)
        raise(&s);
    /* Found again, where the first look has put it. */
    mini_check(mini_apic_pending(&s.vm->vcpu[0]));
    mini_check(mini_apic_pending(&s.vm->vcpu[0]));
    shim_quiesce();
    mini_check(shim_counters().interrupts == before);
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 0);
    mini_vm_start(s.vm);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 1);
    mini_check(s.vm->vcpu[0].account[LOW].pir_merged == 4);
    stage_end(&s);
}

/* Asleep in vm_handle_hlt(): the wakeup vector. */
void mini_asleep(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_ppt_unassign(&s.dev);
    mini_vm_start(s.vm);
    shim_quiesce();
    /* It slept before there was a device. */
    mini_ppt_assign(&s.dev, s.vm);
    play_program(&s.dev, 0, LOW);
    for (u_int i = 1; i <= 20; i++) {
        shim_quiesce();
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[0], LOW) == i);
    }
    mini_check(s.dev.posted == 20);
    mini_check(play_count("wakeups") >= 20);
    mini_check(shim_counters().timeouts == 0);
    stage_end(&s);
}

/* Each interrupt comes after the last look at the PIR and before the block. */
void mini_at_block(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;

    stage_begin(&s, run, true);
    v = &s.vm->vcpu[0];
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    for (u_int i = 1; i <= 20; i++) {
        __atomic_store_n(&v->at_block, &s.dev, __ATOMIC_SEQ_CST);
        /* It wakes up, takes this, and halts again. */
        mini_apic_post(v, HIGH);
        shim_quiesce();
        mini_check(play_delivered(v, HIGH) == i);
        mini_check(play_delivered(v, LOW) == i);
    }
    mini_check(shim_counters().timeouts == 0);
    stage_end(&s);
}

/* Asleep, with a priority that masks what comes first: that must not make it
 * deaf to what comes next. */
void mini_masked(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_apic_set_priority(&s.vm->vcpu[0], 0x80);
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    raise(&s);
    shim_quiesce();
    raise(&s);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 0);
    play_program(&s.dev, 0, HIGH);
    shim_quiesce();
    raise(&s);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], HIGH) == 1);
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 0);
    mini_check(shim_counters().timeouts == 0);
    mini_vm_settle(s.vm);
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 1);
    stage_end(&s);
}

/* A priority of the vector's own class masks it, too. */
void mini_equal(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_apic_set_priority(&s.vm->vcpu[0], LOW & 0xf0);
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    raise(&s);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 0);
    mini_vm_settle(s.vm);
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 1);
    stage_end(&s);
}

/* Halted with interrupts off: no interrupt ends that sleep, an NMI does, and
 * nothing is lost. */
void mini_deaf(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;
    uint64_t sleeps;

    stage_begin(&s, run, true);
    v = &s.vm->vcpu[0];
    v->guest.interrupts = false;
    v->guest.deaf = true;
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    sleeps = v->sleeps;
    mini_check(sleeps > 0);
    for (u_int i = 0; i < 5; i++) {
        raise(&s);
        shim_quiesce();
    }
    mini_check(v->sleeps == sleeps && play_delivered(v, LOW) == 0);
    mini_vcpu_nmi(v);
    shim_quiesce();
    mini_check(play_delivered(v, LOW) == 1);
    mini_check(v->account[LOW].pir_merged == 4);
    stage_end(&s);
}

/* The kernel moves a host interrupt that is posted: nothing may change, until
 * posting ends and the new form is needed. */
void mini_rebind(const struct mini_run *run)
{
    struct stage s;
    u_int cpu;

    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, LOW);
    CPU_FOREACH(cpu)
    {
        mini_irq_rebind(s.dev.msg[0].irq, cpu);
        mini_check(is_posted(&s));
        raise(&s);
        shim_quiesce();
    }
    mini_check(s.dev.posted == (u_int)mp_ncpus && s.dev.remapped == 0);
    mini_check(play_count("rebinds") >= (u_int)mp_ncpus);
    /* To all vCPUs: cannot be posted, and comes through the host. */
    play_program(&s.dev, 0xff, LOW);
    mini_check(!is_posted(&s));
    raise(&s);
    shim_quiesce();
    mini_check(s.dev.remapped == 1 && s.dev.handled == 1);
    mini_check(play_delivered(&s.vm->vcpu[1], LOW) == 1);
    mini_irq_rebind(s.dev.msg[0].irq, mp_maxid);
    raise(&s);
    shim_quiesce();
    mini_check(s.dev.handled == 2);
    play_program(&s.dev, 1, LOW);
    mini_check(is_posted(&s));
    stage_end(&s);
}

/* The guest turns a message to another vCPU: from the return on, that one gets
 * it, and the host's interrupt was not touched. */
void mini_retarget(const struct mini_run *run)
{
    struct stage s;
    uint64_t setups;

    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, LOW);
    raise(&s);
    shim_quiesce();
    setups = play_count("setups");
    for (u_int i = 1; i <= 10; i++) {
        play_program(&s.dev, i % 2, LOW + i);
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[i % 2], LOW + i) == 1);
    }
    mini_check(play_count("setups") == setups);
    mini_check(play_count("changes") == 10);
    mini_check(s.dev.remapped == 0);
    stage_end(&s);
}

/* Masked and unmasked by the guest: set up anew, and posted again. */
void mini_mask(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    for (u_int i = 1; i <= 3; i++) {
        play_program(&s.dev, 0, LOW);
        mini_check(is_posted(&s) && play_count("setups") == i);
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[0], LOW) == i);
        mini_ppt_setup(&s.dev, 0, mini_msi_addr(0), LOW, true);
        mini_check(!is_posted(&s) && !mini_device_raise(&s.dev, 0));
    }
    mini_check(s.dev.remapped == 0);
    stage_end(&s);
}

/* From the end of posting to that of the host's interrupt, the host delivers
 * what the guest has programmed. */
void mini_between(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, LOW);
    vtdpi_bhyve_dev_lock(s.dev.pi);
    vtdpi_bhyve_msg_teardown(s.dev.pi, 0);
    raise(&s);
    shim_quiesce();
    mini_check(s.dev.remapped == 1);
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 1);
    vtdpi_bhyve_dev_unlock(s.dev.pi);
    stage_end(&s);
}

/* One invalidation fails: the next one makes up for it, before the guest goes
 * on. */
void mini_flush(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, LOW);
    for (u_int i = 1; i <= 6; i++) {
        raise(&s); /* and the entry is cached */
        shim_quiesce();
        mini_dmar_fail(0, 1);
        play_program(&s.dev, i % 2, LOW + i);
        mini_check(play_count("failures") == 0);
    }
    raise(&s);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], LOW + 6) == 1);
    stage_end(&s);
}

/* A post that the unit has not written yet when posting ends. */
void mini_in_flight(const struct mini_run *run)
{
    struct stage s;
    struct vtdpi_model *m;

    stage_begin(&s, run, true);
    play_program(&s.dev, 0, LOW);
    mini_vm_start(s.vm);
    shim_quiesce();
    m = mini_dmar_model(0);
    vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    raise(&s);
    mini_check(vtdpi_model_in_flight(m) == 1);
    mini_ppt_setup(&s.dev, 0, mini_msi_addr(0), LOW, true);
    mini_check(vtdpi_model_in_flight(m) == 0);
    vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_POST_LATE);
    /* Which the model does not report; so here. */
    s.dev.posted++;
    s.vm->vcpu[0].account[LOW].raised++;
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], LOW) == 1);
    stage_end(&s);
}

/* Somebody else gets the descriptor that has just been given back. */
static void squat(void *arg)
{
    struct vm **other = arg;

    *other = mini_vm_create(1, true);
}

/* vm_reinit(): another descriptor, and nothing goes to the old one. */
void mini_reinit(const struct mini_run *run)
{
    struct stage s;
    struct vm *others[4];
    uint64_t pid;

    stage_begin(&s, run, true);
    for (u_int i = 1; i <= nitems(others); i++) {
        play_program(&s.dev, 0, LOW);
        mini_vm_start(s.vm);
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(&s.vm->vcpu[0], LOW) == i);
        mini_vm_stop(s.vm);
        raise(&s); /* which goes with the reset */
        mini_ppt_unassign(&s.dev);
        pid = s.vm->vcpu[0].pid_pa;
        mini_vm_reinit(s.vm, squat, &others[i - 1]);
        mini_check(s.vm->vcpu[0].pid_pa != pid);
        mini_check(s.vm->vcpu[0].account[LOW].dropped == i);
        mini_ppt_assign(&s.dev, s.vm);
    }
    for (u_int i = 0; i < nitems(others); i++)
        mini_vm_destroy(others[i]);
    mini_vm_start(s.vm);
    stage_end(&s);
}

/* A vector that is masked when the reset comes: it has left PIR for the IRR and
 * RVI, and the reset takes the IRR away but not RVI. */
static void harvest_and_reset(struct stage *s, struct vcpu *v)
{
    mini_apic_set_priority(v, HIGH & 0xf0);
    mini_apic_post(v, HIGH);
    mini_vm_start(s->vm);
    shim_quiesce();
    mini_vm_stop(s->vm);
    mini_check(v->rvi == HIGH && play_delivered(v, HIGH) == 0);
    mini_vcpu_reset(v);
    mini_check(v->account[HIGH].dropped == 1);
}

/* What was posted before a reset is not delivered after it. */
void mini_reset(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;

    stage_begin(&s, run, true);
    v = &s.vm->vcpu[0];
    harvest_and_reset(&s, v);
    play_program(&s.dev, 0, LOW);
    raise(&s);
    mini_apic_post(v, HIGH);
    mini_vcpu_reset(v);
    raise(&s);
    mini_vm_start(s.vm);
    shim_quiesce();
    mini_check(v->account[LOW].dropped == 1 && v->account[HIGH].dropped == 2);
    mini_check(play_delivered(v, LOW) == 1 && play_delivered(v, HIGH) == 0);
    mini_account_check(v);
    stage_end(&s);
}

/* A vCPU is saved with a vector in its IRR and one in PIR, and goes on. Both arrive
 * there, and in another VM that is restored from the snapshot. What is posted after
 * the save, or to the other vCPU before the restore, does not. */
void mini_snapshot(const struct mini_run *run)
{
    static struct mini_snapshot saved;
    struct stage s;
    struct vm *copy;
    struct vcpu *v;

    stage_begin(&s, run, true);
    v = &s.vm->vcpu[0];
    play_program(&s.dev, 0, LOW);
    mini_apic_set_priority(v, HIGH & 0xf0);
    mini_apic_post(v, HIGH);
    mini_vm_start(s.vm);
    shim_quiesce();
    mini_vm_stop(s.vm);
    raise(&s);
    mini_vcpu_save(v, &saved);
    mini_apic_post(v, LOW + 1);

    copy = mini_vm_create(2, true);
    mini_apic_post(&copy->vcpu[0], LOW + 2);
    mini_vcpu_restore(&copy->vcpu[0], &saved, run->seed % 2 == 0);
    mini_vm_start(copy);
    mini_vm_settle(copy);
    mini_check(play_delivered(&copy->vcpu[0], HIGH) == 1);
    mini_check(play_delivered(&copy->vcpu[0], LOW) == 1);
    mini_check(play_delivered(&copy->vcpu[0], LOW + 1) == 0);
    mini_check(play_delivered(&copy->vcpu[0], LOW + 2) == 0);
    /* Posting goes on where that one is. */
    mini_apic_post(&copy->vcpu[0], HIGH);
    shim_quiesce();
    mini_check(play_delivered(&copy->vcpu[0], HIGH) == 2);
    mini_vm_stop(copy);
    play_add_vm(copy);
    mini_vm_destroy(copy);

    mini_vm_start(s.vm);
    mini_vm_settle(s.vm);
    mini_check(play_delivered(v, HIGH) == 1 && play_delivered(v, LOW) == 1);
    mini_check(play_delivered(v, LOW + 1) == 1);
    stage_end(&s);
}

/* Unloaded, and loaded again. */
void mini_reload(const struct mini_run *run)
{
    struct stage s;

    play_begin(run, 0);
    for (u_int i = 0; i < 3; i++) {
        play_unload();
        play_load(run);
    }
    play_end();
    stage_begin(&s, run, false);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, HIGH);
    raise(&s);
    shim_quiesce();
    mini_check(play_delivered(&s.vm->vcpu[0], HIGH) == 1);
    stage_end(&s);
}

/* A vector of its own for each of the three that there are: none is kept. */
static void check_vectors_free(u_int count)
{
    int v[3];

    for (u_int i = 0; i < count; i++)
        v[i] = lapic_ipi_alloc(&IDTVEC(justreturn));
    for (u_int i = 0; i < count; i++) {
        mini_check(v[i] >= 0);
        lapic_ipi_free(v[i]);
    }
}

/* The port's set-up fails, at the end of vmx_modinit(): the host goes on without
 * virtual-interrupt delivery. All of it works, and nothing is posted. Unloaded
 * and loaded again, the port is there. */
void mini_init_fails(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;

    play_fail_init(true);
    stage_begin(&s, run, run->seed % 2 == 0);
    play_fail_init(false);
    check_vectors_free(2);
    v = &s.vm->vcpu[1];
    mini_vm_start(s.vm);
    play_program(&s.dev, 1, LOW);
    for (u_int i = 1; i <= 20; i++) {
        shim_quiesce();
        raise(&s);
        shim_quiesce();
        mini_check(play_delivered(v, LOW) == i);
        mini_apic_post(v, HIGH);
        shim_quiesce();
        mini_check(play_delivered(v, HIGH) == i);
    }
    mini_check(s.dev.posted == 0 && s.dev.remapped == 20 && v->processed == 0);
    stage_end(&s);
    stage_begin(&s, run, true);
    mini_vm_start(s.vm);
    play_program(&s.dev, 0, HIGH);
    mini_check(is_posted(&s));
    stage_end(&s);
}
