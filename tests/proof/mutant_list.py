# SPDX-License-Identifier: BSD-2-Clause
"""The defects that are seeded into a copy of the library, and which harness
has to refute each. See proofs.py. And the masks of regs.h, out of which
mutants.py takes bits."""

import dataclasses
import pathlib
import re

from mutation import Mutant

REGS = "include/vtdpi/regs.h"
PID = "include/vtdpi/pid.h"
QI = "include/vtdpi/qi.h"
ROUTE = "include/vtdpi/route.h"


@dataclasses.dataclass(frozen=True)
class Seed(Mutant):
    by: tuple = ()  # harnesses, in the order in which they are asked


def seed(by, name, file, old, new):
    return Seed(f"{by}: refutes: {name}", ((file, old, new),), (by,))


def irte(by, name, old, new):
    return seed(by, name, "src/irte.c", old, new)


def msi(by, name, old, new):
    return seed(by, name, "src/msi.c", old, new)


def sched(by, name, old, new):
    return seed(by, name, "src/sched_vcpu.c", old, new)


def dmar(by, name, old, new):
    return seed(by, name, "src/dmar.c", old, new)


def route(by, name, old, new):
    return seed(by, name, "src/route.c", old, new)


def pid(by, name, old, new):
    return seed(by, name, PID, old, new)


def text(by, name, file, old, new):
    return seed(by, name, f"src/format{file}.c", old, new)


SEEDS = [
    # Text.
    text("format_char", "a byte behind the end is written", "",
         "if (s->len < s->size)\n        s->buf", "if (s->len <= s->size)\n        s->buf"),
    text("format_end", "the terminator is behind the end", "",
         "s->len : s->size - 1]", "s->len : s->size]"),
    text("format_end", "a buffer of no bytes is terminated", "",
         "    if (s->size != 0)\n", ""),
    text("format_digits", "the highest digit is lost", "",
         "unsigned int i = 16;", "unsigned int i = 15;"),
    text("format_leading", "one digit too many is left out", "",
         "rest != 0 || i < digits", "rest > 1 || i < digits"),
    text("format_unit", "a state behind the last one is looked up", "_unit",
         "(size_t)state < VTDPI_SINK_COUNT_", "(size_t)state <= VTDPI_SINK_COUNT_"),

    # Interrupt-remapping table entries.
    irte("irte_remapped_fields", "RH is read from DM",
         "(irte->lo & VTDPI_IRTE_LO_RH) != 0;",
         "(irte->lo & VTDPI_IRTE_LO_DM) != 0;"),
    irte("irte_remapped_fields", "the trigger mode is left out",
         " | (f->tm ? VTDPI_IRTE_LO_TM : 0) |", " |"),
    irte("irte_remapped_fields", "an xAPIC destination in place of an x2APIC's",
         "(x2apic ? VTDPI_FIELD_PUT(f->dst, VTDPI_IRTE_LO_DST)",
         "(x2apic ? VTDPI_FIELD_PUT(f->dst, VTDPI_IRTE_LO_DST_XAPIC)"),
    seed("irte_remapped_fields", "TM one bit up, for both directions", REGS,
         "VTDPI_IRTE_LO_TM        VTDPI_BIT64(4)",
         "VTDPI_IRTE_LO_TM        VTDPI_BIT64(13)"),
    irte("irte_posted_fields", "bit 32 of the PID's address is lost",
         "f->pda >> 32", "f->pda >> 33"),
    irte("irte_posted_fields", "a descriptor that is not aligned",
         "f->pda % sizeof(struct vtdpi_pid) != 0", "f->pda % 32 != 0"),
    irte("irte_posted_fields", "urgent is left out",
         "VTDPI_IRTE_LO_P | (f->urgent ? VTDPI_IRTE_LO_URG : 0) |",
         "VTDPI_IRTE_LO_P |"),
    irte("irte_decode_raw", "the low half of the address one bit down",
         "VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_PDA) << 6",
         "VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_PDA) << 5"),
    irte("irte_decode_raw", "SVT 3 passes for none",
         "s.kind = VTDPI_SOURCE_RESERVED;", "s.kind = VTDPI_SOURCE_ANY;"),
    irte("irte_validate_is_encodable", "an absent entry may have a source",
         " || irte->hi != 0)", ")"),
    irte("irte_validate_means", "SQ without its SVT",
         "if (svt != SVT_SID_SQ && (hi & VTDPI_IRTE_HI_SQ) != 0)",
         "if (svt == SVT_BUS_RANGE && (hi & VTDPI_IRTE_HI_SQ) != 0)"),
    irte("irte_validate_means", "one bit beyond the address width",
         ">> haw != 0", ">> haw > 1"),
    irte("irte_validate_means", "a bus range the wrong way round",
         "sid >> 8 > (sid & 0xff))", "sid >> 8 < (sid & 0xff))"),
    irte("irte_validate_means", "level-triggered NMI",
         "return (lo & VTDPI_IRTE_LO_TM) != 0 ? VTDPI_EIRTE_TM : 0;",
         "return 0;"),
    irte("irte_replace", "half of the entry",
         "desired[1] = replacement->hi", "desired[1] = old->hi"),
    seed("source_of_pci", "the bridge next to the function decides", "src/source.c",
         "for (size_t i = 0; i < r->bridge_count; i++) {",
         "for (size_t i = r->bridge_count; i-- > 0;) {"),
    seed("source_of_pci", "a range that no device is in", "src/source.c",
         "b->secondary > bus)", "b->secondary > 254)"),

    # Requests.
    msi("msi_block", "a block at an index that is not aligned",
        "base % count != 0", "count == 0"),
    msi("msi_block", "any count", "!vtdpi_is_power_of_2_(count))", "false)"),
    msi("msi_index", "bit 15 of the index", "base >> 15", "base >> 14"),
    msi("msi_index", "without SHV", "VTDPI_MSI_ADDR_SHV |", "0 |"),
    msi("msi_decode", "an index beyond 65535",
        "handle + subhandle >= VTDPI_INDEX_COUNT_MAX",
        "handle >= VTDPI_INDEX_COUNT_MAX"),
    msi("msi_decode", "the subhandle counts without SHV",
        "shv ? (uint32_t)VTDPI_FIELD_GET(msi->data, VTDPI_MSI_DATA_SUBHANDLE)",
        "1 ? (uint32_t)VTDPI_FIELD_GET(msi->data, VTDPI_MSI_DATA_SUBHANDLE)"),
    msi("rte_fields", "the mask sets remote IRR",
        "? VTDPI_RTE_MASK", "? VTDPI_RTE_REMOTE_IRR"),
    msi("rte_fields", "the format bit is left out",
        "*out = VTDPI_RTE_FORMAT |", "*out ="),
    seed("rte_word", "a reserved bit is accepted", REGS,
         "VTDPI_BITS64(47, 17) |", "VTDPI_BITS64(47, 18) |"),
    msi("compat_msi", "a 32-bit destination without its place",
        "VTDPI_COMPAT_HI_DEST) << 8", "VTDPI_COMPAT_HI_DEST)"),
    msi("compat_msi", "an extended destination in the plain form",
        "if (form != VTDPI_COMPAT_DEST_15 &&",
        "if (form == VTDPI_COMPAT_DEST_32 &&"),

    # The posted-interrupt descriptor.
    pid("pid_ndst", "an xAPIC id where an x2APIC's goes",
        "(apic_id & 0xff) << 8", "(apic_id & 0xff)"),
    pid("pid_ndst", "xAPIC ids of 7 bits", "(ndst >> 8) & 0xff",
        "(ndst >> 8) & 0x7f"),
    pid("pid_init", "SN clear at birth", "c = {false, true, nv, ndst}",
        "c = {false, false, nv, ndst}"),
    pid("pid_init", "reserved words are left as they were",
        "for (unsigned int i = 0; i < 3; i++)",
        "for (unsigned int i = 0; i < 2; i++)"),
    seed("pid_control", "NDST one bit up", REGS,
         "VTDPI_PID_NDST VTDPI_BITS64(63, 32)",
         "VTDPI_PID_NDST VTDPI_BITS64(63, 33)"),
    pid("pid_post", "urgent posts do not notify",
        "(old & VTDPI_PID_SN) != 0 && !urgent", "(old & VTDPI_PID_SN) != 0"),
    pid("pid_post", "SN is set with ON",
        "old | VTDPI_PID_ON));", "old | VTDPI_PID_ON | VTDPI_PID_SN));"),
    pid("pid_harvest", "PIR is looked at and left",
        "out[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);", ";"),
    pid("pid_harvest", "ON is left set",
        "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);",
        "        ;"),
    pid("pid_merge", "the upper half of a word to the wrong place",
        "(i % 2 * 32)", "(i % 2 * 16)"),
    pid("pid_merge", "0 when nothing was harvested",
        "    if (vtdpi_pid_harvest(pid, taken)) {",
        "    if (!vtdpi_pid_harvest(pid, taken))\n        return 0;\n    {"),
    pid("pid_merge", "the highest word is not looked at",
        "    for (int i = 7; i >= 0; i--) {",
        "    for (int i = 6; i >= 0; i--) {"),
    pid("pid_replace", "bits are added, none removed",
        "(old & ~mask) | value", "old | value"),
    pid("pid_replace", "ON of the snapshot is lost",
        "(old & ~mask) | value", "(old & ~mask & ~VTDPI_PID_ON) | value"),
    pid("pid_retarget", "SN is cleared on the way",
        "(void)vtdpi_pid_replace(pid, VTDPI_PID_NV | VTDPI_PID_NDST,",
        "(void)vtdpi_pid_replace(pid, VTDPI_PID_NV | VTDPI_PID_NDST | "
        "VTDPI_PID_SN,"),
    pid("pid_bits", "SN is cleared with ON",
        "~VTDPI_PID_ON) & VTDPI_PID_ON) !=",
        "~(VTDPI_PID_ON | VTDPI_PID_SN)) & VTDPI_PID_ON) !="),
    pid("pid_looks", "ON alone is not pending",
        "return (vtdpi_pid_snapshot(pid) & VTDPI_PID_ON) != 0 ||",
        "return"),
    pid("pid_looks", "the highest vector is one too high",
        "i * 64 + 63 - __builtin_clzll(set[i])",
        "i * 64 + 64 - __builtin_clzll(set[i])"),
    pid("pid_discard", "nothing is dropped",
        "    (void)vtdpi_pid_harvest(pid, dropped);", "    (void)dropped;"),

    # Invalidation descriptors and their ring.
    seed("qi_iec", "a block that is not aligned", QI,
         "if ((first & ((1u << order) - 1)) != 0)", "if (first % 2 > order)"),
    seed("qi_iec", "index-selective without G", QI,
         "{{VTDPI_QI_IEC | VTDPI_IEC_G, 0, 0, 0}}",
         "{{VTDPI_QI_IEC, 0, 0, 0}}"),
    seed("qi_iec", "IM one bit up", REGS,
         "VTDPI_IEC_IM   VTDPI_BITS64(31, 27)",
         "VTDPI_IEC_IM   VTDPI_BITS64(31, 28)"),
    seed("qi_iec_global", "global with G", QI,
         "{{VTDPI_QI_IEC, 0, 0, 0}}", "{{VTDPI_QI_IEC | VTDPI_IEC_G, 0, 0, 0}}"),
    seed("qi_wait", "without the fence", QI, "VTDPI_WAIT_FN |", "0 |"),
    seed("qi_wait", "with an interrupt", QI, "VTDPI_WAIT_FN |",
         "VTDPI_WAIT_FN | VTDPI_WAIT_IF |"),
    seed("qi_wait", "the status address is shifted", QI, "status, 0, 0}}",
         "status >> 2, 0, 0}}"),
    seed("qi_positions", "no slot stays free", "src/qi_ring.h",
         "return qi->slots - 1 - ring_used(qi);",
         "return qi->slots - ring_used(qi);"),
    seed("qi_positions", "slots of 256 bits counted as of 128", QI,
         "(width == VTDPI_QI_256 ? 32 : 16)", "16"),
    seed("qi_slot", "the fourth word is not written", "src/qi_ring.h",
         "    vtdpi_atomic_store64_relaxed(&word[3], desc->qw[3]);\n", ""),
    seed("qi_slot", "four words in a slot of two", "src/qi_ring.h",
         "    if (qi->words == 2)\n        return;\n", ""),
    seed("qi_program", "the width is not told", "src/qi.c",
         "qi->words == 4 ? VTDPI_IQA_DW : 0", "0"),
    seed("qi_program", "the tail of an earlier life", "src/qi.c",
         "    qi->tail = 0;\n", ""),
    seed("qi_head", "a head behind the last one is believed", "src/qi_ring.h",
         "if (slot >= qi->slots || slot_is_behind(qi, (uint32_t)slot, qi->head))",
         "if (slot >= qi->slots)"),
    seed("qi_head", "a head beyond the ring is believed", "src/qi_ring.h",
         "if (slot >= qi->slots || slot_is_behind(qi, (uint32_t)slot, qi->head))",
         "if (slot_is_behind(qi, (uint32_t)slot, qi->head))"),
    seed("qi_tail", "the tail as a number of slots", "src/qi_ring.h",
         "(uint64_t)qi->tail * qi->words * sizeof(uint64_t)",
         "(uint64_t)qi->tail"),
    seed("qi_ticket", "codes lose their sign", "src/qi_ring.h",
         "return (int)(int32_t)(uint32_t)(word >> 32);",
         "return (int)(word >> 32 & 0x7fffffff);"),
    seed("qi_sequence", "0 is a sequence number", "src/qi_ring.h",
         "qi->sequence == 0 ||", "0 ||"),
    seed("qi_sequence", "what the status word holds already", "src/qi_ring.h",
         "word_is_complete(qi, word_in_flight(slot, qi->sequence))", "0"),
    seed("qi_device", "the source id one bit up", REGS,
         "VTDPI_DEV_TLB_SID        VTDPI_BITS64(47, 32)",
         "VTDPI_DEV_TLB_SID        VTDPI_BITS64(48, 33)"),
    seed("qi_context", "a domain as a device", QI,
         "VTDPI_FIELD_PUT(VTDPI_QI_DOMAIN, VTDPI_CONTEXT_G)",
         "VTDPI_FIELD_PUT(VTDPI_QI_SELECTIVE, VTDPI_CONTEXT_G)"),
    seed("qi_context", "any function mask", QI,
         "domain > VTDPI_DOMAIN_MAX || function_mask > 3",
         "domain > VTDPI_DOMAIN_MAX || function_mask > 4"),
    seed("qi_iotlb", "everything is domain 0", QI,
         "    d.qw[0] &= ~VTDPI_IOTLB_G;\n", ""),
    seed("qi_iotlb", "reads are drained for writes", QI,
         "(drain & VTDPI_QI_DRAIN_READS) != 0 ? VTDPI_IOTLB_DR",
         "(drain & VTDPI_QI_DRAIN_WRITES) != 0 ? VTDPI_IOTLB_DR"),
    seed("qi_iotlb", "a block need not be aligned", QI,
         "(UINT64_C(4096) << order) - 1", "UINT64_C(4096) - 1"),
    seed("qi_iotlb", "a block larger than everything", QI,
         "VTDPI_QI_PAGES_ORDER_MAX   52", "VTDPI_QI_PAGES_ORDER_MAX   53"),
    seed("qi_pasid", "21 bits of PASID", QI, "UINT32_C(0xfffff)",
         "UINT32_C(0x1fffff)"),
    seed("qi_pasid", "pages as the whole PASID", QI,
         "    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_PASID_IOTLB_PAGES, "
         "VTDPI_PASID_CACHE_G);\n", ""),
    seed("qi_dev_tlb", "twice the block", QI,
         "        d.qw[1] |= VTDPI_DEV_TLB_HI_S | ((UINT64_C(2048) << order) - 4096);",
         "        d.qw[1] |= VTDPI_DEV_TLB_HI_S | ((UINT64_C(4096) << order) - 4096);"),
    seed("qi_dev_tlb", "PFSID cut off", QI,
         "VTDPI_FIELD_PUT(pfsid >> 4, VTDPI_DEV_TLB_PFSID_15_4)",
         "VTDPI_FIELD_PUT(pfsid, VTDPI_DEV_TLB_PFSID_15_4)"),
    seed("qi_pasid_dev_tlb", "S where it is without PASID", QI,
         "        d.qw[1] |=\n            VTDPI_PASID_DEV_TLB_HI_S |",
         "        d.qw[1] |=\n            VTDPI_DEV_TLB_HI_S |"),
    seed("qi_submit", "the wait over the last descriptor", "src/qi_ring.h",
         "return ring_advance(qi, t->first, t->count);",
         "return ring_advance(qi, t->first, t->count != 0 ? t->count - 1 : 0);"),
    seed("qi_submit", "the status word of the next slot", "src/qi_ring.h",
         "qi->status_phys + (uint64_t)slot * sizeof(uint32_t);",
         "qi->status_phys + (uint64_t)(slot + 1) * sizeof(uint32_t);"),

    # The blocks of a flush.
    seed("commit_range", "the last block is left out", "src/table_commit.c",
         "at < r->first + r->count;", "at + block < r->first + r->count;"),
    seed("commit_range", "blocks larger than the unit takes", "src/table_commit.c",
         "while (order < order_max && ", "while ("),
    seed("commit_range", "from the first index, not from its block",
         "src/table_commit.c", "r->first & ~(block - 1)", "r->first"),
    seed("commit_blocks", "17 descriptors", "src/table_commit.c",
         "if (used == COMMIT_DESCS_MAX ||", "if (used == COMMIT_DESCS_MAX + 1 ||"),

    # Capabilities, options, verdict.
    seed("caps_decode", "NFR without its 1", "src/caps.c",
         "VTDPI_FIELD_GET(cap, VTDPI_CAP_NFR) + 1",
         "VTDPI_FIELD_GET(cap, VTDPI_CAP_NFR)"),
    seed("caps_decode", "PI at bit 58", REGS,
         "VTDPI_CAP_PI      VTDPI_BIT64(59)", "VTDPI_CAP_PI      VTDPI_BIT64(58)"),
    seed("caps_decode", "a unit that has vanished", "src/caps.c",
         "ecap != VTDPI_ALL_ONES64_ && (ver", "(ver"),
    seed("caps_decode", "nothing but zeros is a unit", "src/caps.c",
         "(ver | cap | ecap) != 0;", "true;"),
    seed("caps_window", "the last record is outside", "src/caps.c",
         "(uint32_t)caps->fault_count * VTDPI_FRCD_SIZE;",
         "(uint32_t)(caps->fault_count - 1) * VTDPI_FRCD_SIZE;"),
    seed("caps_check_window", "a record may lie among the fixed registers",
         "src/caps.c", "return at >= VTDPI_FIXED_REGISTERS_END_ && at + bytes",
         "return at + bytes"),
    seed("caps_check_window", "the last byte may be outside", "src/caps.c",
         "at + bytes <= window_bytes;", "at + bytes <= window_bytes + 1;"),
    seed("caps_span", "a zero does not end an item", "src/caps.c",
         "while (text[n] != '\\0' && text[n] != ','",
         "while (text[n] != ','"),
    seed("caps_word", "a prefix is a name", "src/caps.c",
         "return i == len && word[i] == '\\0';", "return i == len;"),
    seed("caps_option", "an item that is only a name", "src/caps.c",
         "    if (text[name] != '=')\n        return VTDPI_EOPTION;\n", ""),
    seed("verdict_decide", "the list is written beyond its room", "src/verdict.c",
         "if (v->count < v->capacity)", "if (v->count <= v->capacity)"),
    seed("verdict_decide", "firmware is overridden", "src/verdict.c",
         "               !o->ignore_x2apic_optout,", "               0,"),
    seed("verdict_decide", "a unit fits a window of any size", "src/verdict.c",
         ": UINT32_MAX) != 0,", ": UINT32_MAX) > 0 && false,"),
    seed("verdict_texts", "a value one beyond the table", "src/verdict.c",
         "return i < sizeof(verdict_reasons)",
         "return i <= sizeof(verdict_reasons)"),

    # Errors.
    seed("status_text", "an unlisted code reads beyond the table",
         "src/status.c", "i < STATUS_TEXTS; i++",
         "i <= STATUS_TEXTS; i++"),
    seed("status_unique", "a code listed twice", "src/status.c",
         "{VTDPI_OK, \"success\"},",
         "{VTDPI_OK, \"success\"},\n    {VTDPI_EBUG, \"bug\"},"),

    # Transitions of the owner.
    sched("sched_run", "ON is cleared on the way",
          "PID_OWNED,\n                            "
          "pid_destination(v->sched->anv, p->ndst));\n    blocked_leave(v);",
          "PID_OWNED | VTDPI_PID_ON,\n                            "
          "pid_destination(v->sched->anv, p->ndst));\n    blocked_leave(v);"),
    sched("sched_preempt", "SN stays clear",
          "VTDPI_PID_SN | pid_destination(v->sched->anv, 0)",
          "pid_destination(v->sched->anv, 0)"),
    sched("sched_block", "reserved bits are dropped",
          "(old & ~PID_OWNED) | destination)", "destination)"),
    sched("sched_block", "ON does not stop it",
          "        if ((old & VTDPI_PID_ON) != 0)\n            return false;\n",
          ""),
    sched("sched_block", "the wakeup vector of another slot",
          "return v->sched->wnv[wnv_index(v->sched, v->slot)];",
          "return v->sched->wnv[wnv_index(v->sched, v->slot + 64)];"),
    sched("sched_block", "the wake mark stays",
          "    wake_mark_clear(leaf, v->slot);\n", ""),
    sched("sched_committed", "what was posted is not notified",
          "if ((old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid)) {",
          "if ((old & VTDPI_PID_ON) != 0) {"),

    # Faults.
    seed("fault_decode", "the index at the address", REGS,
         "VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(63, 48)",
         "VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(63, 47)"),
    seed("fault_decode", "a compatibility request has an index",
         "src/fault.c", "out->reason != VTDPI_FR_COMPAT_BLOCKED;", "true;"),
    seed("fault_text", "a text is read beyond the table", "src/fault.c",
         "reason - REASON_FIRST < REASON_COUNT",
         "reason - REASON_FIRST <= REASON_COUNT"),
    seed("source_sid", "devices of 4 bits", "include/vtdpi/source.h",
         "(sid >> 3) & 31", "(sid >> 3) & 15"),
    seed("fault_clear", "the first word is written", "src/fault.c",
         "u->ops->write64(u->ctx, record_offset(u, i) + 8, VTDPI_FRCD_HI_F);",
         "u->ops->write64(u->ctx, record_offset(u, i), VTDPI_FRCD_HI_F);"),
    seed("fault_event", "the upper address is left out", "src/fault.c",
         "(uint32_t)address, (uint32_t)upper, vector);",
         "(uint32_t)address, 0, vector);"),
    seed("fault_event", "changed unmasked", "src/fault.c",
         "const int rc = event_set_mask(u, true);", "const int rc = 0;"),

    # Where a guest's interrupt goes.
    route("route_decode", "FFh is left as it is",
          "out->dest == XAPIC_ALL)", "out->dest == XAPIC_ALL - 1)"),
    route("route_decode", "FFh is widened in every form",
          "rc == 0 && form == VTDPI_COMPAT_DEST_8 &&", "rc == 0 &&"),
    route("route_registers", "x2APIC mode of an APIC that is off",
          "    if ((apic_base & GUEST_APIC_EN) == 0)\n"
          "        return VTDPI_GUEST_APIC_DISABLED;\n", ""),
    route("route_matches", "cluster 15 for everyone in a cluster",
          "return dest >> 4 == ldr >> 4 &&",
          "return (dest >> 4 == ldr >> 4 || dest >> 4 == 15) &&"),
    seed("route_matches", "clusters of 15 bits", ROUTE,
         "(apic->id >> 4 & 0xffff)", "(apic->id >> 4 & 0x7fff)"),
    seed("route_matches", "the LDR always follows from the id", ROUTE,
         "    if (apic->ldr_given)\n        return apic->ldr;\n", ""),
    route("route_matches", "a wide destination hits by its low byte",
          "return dest == apic->id;", "return (dest & 0xff) == apic->id;"),
    seed("route_hash", "one beyond the last", ROUTE,
         "return vector % count;", "return vector % (count + 1);"),
    route("route_walk", "the one before the hash's choice", "i > 0; i--)",
          "i > 1; i--)"),
    route("route_walk", "a deassertion is delivered",
          "dlm_is_reserved(msg->dlm) || (msg->level && !msg->assert_level)",
          "dlm_is_reserved(msg->dlm)"),
    route("route_walk", "the second pass goes on from the first",
          "    walk_rewind(walk);\n    for (", "    for ("),
    route("route_walk_disabled", "ExtINT reaches those that are disabled",
          "dlm == VTDPI_DLM_NMI ||",
          "dlm == VTDPI_DLM_NMI || dlm == VTDPI_DLM_EXTINT ||"),
    route("route_decide_decoded", "a broadcast is arbitrated",
          "vtdpi_route_walk_begin(&walk, set, broadcast ? &all : msg);",
          "vtdpi_route_walk_begin(&walk, set, msg);"),
    route("route_decide_decoded", "all ones in the flat model are a broadcast",
          "        if (dest_is_broadcast(c.mode, all))\n", "        if (1)\n"),
    route("route_matches", "all ones in the flat model need no LDR",
          "    if (mode == VTDPI_GUEST_XAPIC_FLAT && msg->dm)\n"
          "        return false;\n", ""),
    route("route_decide_decoded", "the first of several",
          "    if (!vtdpi_route_walk_next(&walk, &second))\n"
          "        return VTDPI_ROUTE_POSTABLE;\n"
          "    return broadcast ?", "    (void)second;\n    return !broadcast ?"),
    route("route_decide_decoded", "level-triggered messages are posted",
          "    if (msg->level)\n        return VTDPI_ROUTE_LEVEL;\n", ""),
    route("route_decide_decoded", "to a vCPU without a descriptor",
          "if (!one.attached)", "if (0)"),
    route("route_decide_decoded", "posting off is not looked at",
          "else if (!options->posting)", "else if (0)"),
    route("route_decide_decoded", "vector 15",
          "msg->vector < VTDPI_VECTOR_MIN", "msg->vector < 15"),
    route("route_decide_decoded", "the least vector is not posted",
          "msg->vector < options->vector_min", "msg->vector <= options->vector_min"),
    route("route_decide", "a message in remappable format is kept",
          "        d.reason = VTDPI_ROUTE_FORMAT;\n",
          "        d.reason = VTDPI_ROUTE_FORMAT;\n"
          "        d.kind = VTDPI_ROUTE_REMAP;\n"),
    route("route_decide", "reserved bits pass for an address",
          "        d.reason = VTDPI_ROUTE_RESERVED;\n", ""),
    route("route_affects", "enabling is overlooked",
          " && a->enabled == b->enabled", ""),
    route("route_affects", "a new id is overlooked",
          "return a->id == b->id &&", "return"),
    route("route_affects", "another reading of all ones is overlooked",
          " &&\n           dest_is_broadcast(a->mode, msg) == "
          "dest_is_broadcast(b->mode, msg)", ""),
    route("route_affects", "one that matches no longer",
          "was != is || (is &&", "(is &&"),
    route("route_text", "a text beyond the table",
          "(unsigned int)reason < VTDPI_ROUTE_REASONS",
          "(unsigned int)reason <= VTDPI_ROUTE_REASONS"),

    # The DMAR table.
    dmar("dmar_open", "longer than its memory",
         "length < HEADER_BYTES || length > size)", "length < HEADER_BYTES)"),
    dmar("dmar_next", "a structure of length 0 to 3",
         "if (length < STRUCT_BYTES || length > dmar->length - at)",
         "if (length > dmar->length - at)"),
    dmar("dmar_next", "half a header at the end",
         "if (at > dmar->length || dmar->length - at < STRUCT_BYTES)",
         "if (at > dmar->length)"),
    dmar("dmar_check", "zeros are looked for behind the table",
         "at < dmar->length && table_read8", "at <= dmar->length && table_read8"),
    dmar("dmar_check", "one zero byte is an end",
         "    return at == dmar->length;",
         "    return at == dmar->length || table_read8(dmar, at - 1) == 0;"),
    dmar("dmar_next_scope", "a scope beyond its structure",
         " || length > end - at ||\n        length % HOP_BYTES != 0)",
         " ||\n        length % HOP_BYTES != 0)"),
    dmar("dmar_next_scope", "the structure's bounds are taken on trust",
         "s->length <= dmar->length - s->offset &&", "true &&"),
    dmar("dmar_hop", "one hop too many",
         "if (dmar->length - scope->offset < at + HOP_BYTES)",
         "if (dmar->length - scope->offset < at)"),
    dmar("dmar_get", "an RMRR as long as an RHSA",
         "    case VTDPI_DMAR_RMRR:\n        return 24;",
         "    case VTDPI_DMAR_RMRR:\n        return 20;"),
    dmar("dmar_drhd", "a window that wraps",
         " ||\n        base + (window - 1) < base)", ")"),
    dmar("dmar_andd", "a name that no zero ends",
         "    while (name + length < s->offset + s->length &&\n"
         "           table_read8(dmar, name + length) != 0)",
         "    while (table_read8(dmar, name + length) != 0)"),
    dmar("dmar_check", "structures are not checked for being whole",
         "    if (!struct_is_whole(dmar, s)) {\n        scope->offset",
         "    if (0) {\n        scope->offset"),
    seed("dmar_pair", "windows side by side",
         "src/dmar_check.c", "(b->drhd.window_bytes - 1) &&",
         "b->drhd.window_bytes &&"),
    dmar("dmar_get_drhd", "a unit that no walk comes to",
         "if (rc < 0 || before.offset != s->offset)", "if (rc < 0)"),
    dmar("dmar_find_pci", "a unit's length is taken on trust",
         "    if (!struct_is_whole(dmar, s))\n"
         "        return VTDPI_EDMAR_STRUCT;\n    window",
         "    window"),
    dmar("dmar_find_id", "a unit without registers", "if (base == 0 || base %",
         "if (base %"),
]

# Who is asked, by the beginning of the mask's name; the cheapest first.
ASKED = {
    "IRTE_": ["irte_decode_raw", "irte_remapped_fields", "irte_posted_fields",
              "irte_validate_means"],
    "PID_": ["pid_control", "pid_init", "pid_post"],
    "MSI_": ["msi_index", "msi_decode"],
    "COMPAT_": ["compat_msi"],
    "RTE_": ["rte_word", "rte_fields"],
    "IEC_": ["qi_iec"],
    "WAIT_": ["qi_wait"],
    "CONTEXT_": ["qi_context"],
    "IOTLB_": ["qi_iotlb"],
    "DEV_TLB_": ["qi_dev_tlb"],
    "PASID_CACHE_": ["qi_pasid"],
    "PASID_DEV_TLB_": ["qi_pasid_dev_tlb"],
    "QI_TYPE": ["qi_device", "qi_iec"],
    "IQA_": ["qi_program"],
    "IQ_": ["qi_head"],
    "FSTS_I": ["qi_program"],
    "VER_": ["caps_decode"],
    "CAP_": ["caps_decode"],
    "ECAP_": ["caps_decode"],
    "FRCD_SIZE": ["caps_window"],
    "FRCD_": ["fault_decode", "fault_clear"],
    "FECTL_": ["fault_event"],
}
# Bits that nothing can tell from none, and why.
EQUIVALENT = {("IEC_IM", 31): "no block is larger than 2^15"}
DEFINE = re.compile(r"^#define VTDPI_([A-Z0-9_]+)\s+[^\s(]?.*$", re.M)


def asked(name):
    for prefix, harnesses in ASKED.items():
        if name.startswith(prefix):
            return tuple(harnesses)
    return ()


def masks():
    """Names without the prefix."""
    regs = pathlib.Path(__file__).resolve().parents[2] / REGS
    names = DEFINE.findall(regs.read_text(encoding="utf-8"))
    return [name for name in names if asked(name)]


def without_bit(name, bit):
    changes = (
        (REGS, f"#define VTDPI_{name} ",
         f"#define VTDPI_{name} (VTDPI_{name}_ALL ^ VTDPI_BIT64({bit}))\n"
         f"#define VTDPI_{name}_ALL "),
    )
    return Seed(f"VTDPI_{name}: bit {bit}", changes, asked(name),
                survives=EQUIVALENT.get((name, bit), ""))


LISTS = {"seeds": SEEDS, "masks": [without_bit(name, 0) for name in masks()]}
