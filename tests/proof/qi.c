/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about invalidation descriptors and the ring they are written to. */
#include "src/qi.c"

#include "proof.h"

static struct vtdpi_qi_desc any_desc(void)
{
    struct vtdpi_qi_desc d;

    for (int i = 0; i < 4; i++)
        d.qw[i] = nondet_u64();
    return d;
}

static bool same_desc(const struct vtdpi_qi_desc *a,
                      const struct vtdpi_qi_desc *b)
{
    return a->qw[0] == b->qw[0] && a->qw[1] == b->qw[1] &&
           a->qw[2] == b->qw[2] && a->qw[3] == b->qw[3];
}

/* Exactly the aligned blocks of at most 2^15 entries have a descriptor; nothing
 * reserved is set, and index and size come back. */
void proof_qi_iec(void)
{
    const struct vtdpi_qi_desc before = any_desc();
    const uint16_t first = nondet_u16();
    const unsigned int order = nondet_u32();
    struct vtdpi_qi_desc d = before;
    const int rc = vtdpi_qi_encode_iec(&d, first, order);
    const bool ok = order <= 15 && first % (1u << order % 16) == 0;

    CLAIM((rc == 0) == ok);
    if (rc != 0) {
        CLAIM(same_desc(&d, &before));
        return;
    }
    CLAIM(d.qw[0] ==
          (4 | 1u << 4 | (uint64_t)order << 27 | (uint64_t)first << 32));
    CLAIM((d.qw[0] & UINT64_C(0xffff000007ffffe0)) == 0);
    CLAIM((d.qw[0] & VTDPI_IEC_RESERVED) == 0);
    CLAIM(d.qw[1] == 0 && d.qw[2] == 0 && d.qw[3] == 0);
    CLAIM(bits(d.qw[0], 31, 27) == order && bits(d.qw[0], 47, 32) == first);
}

/* The one that forgets everything has the type and no other bit. */
void proof_qi_iec_global(void)
{
    struct vtdpi_qi_desc d = any_desc();

    vtdpi_qi_encode_iec_global(&d);
    CLAIM(d.qw[0] == 4 && d.qw[1] == 0 && d.qw[2] == 0 && d.qw[3] == 0);
}

/* A wait: status write and fence, no interrupt; every 4-byte aligned address
 * and every value. */
void proof_qi_wait(void)
{
    const struct vtdpi_qi_desc before = any_desc();
    const uint64_t status = nondet_u64();
    const uint32_t data = nondet_u32();
    struct vtdpi_qi_desc d = before;
    const int rc = vtdpi_qi_encode_wait(&d, status, data);

    CLAIM((rc == 0) == ((status & 3) == 0));
    if (rc != 0) {
        CLAIM(same_desc(&d, &before));
        return;
    }
    CLAIM(d.qw[0] == (0x65 | (uint64_t)data << 32));
    CLAIM((d.qw[0] & VTDPI_WAIT_RESERVED) == 0);
    CLAIM(d.qw[1] == status && d.qw[2] == 0 && d.qw[3] == 0);
}

/* What the encoders of the host's invalidations share: any inputs, a descriptor
 * that holds anything, and whether a block of pages is one. */
struct any {
    struct vtdpi_qi_desc before;
    struct vtdpi_qi_desc d;
    uint32_t domain;
    uint32_t pasid;
    uint64_t address;
    unsigned int order;
    unsigned int flags;
    struct vtdpi_qi_device device;
};

static struct any any_inputs(void)
{
    struct any a = {.domain = nondet_u32(),
                    .pasid = nondet_u32(),
                    .address = nondet_u64(),
                    .order = nondet_u32(),
                    .flags = nondet_u32()};

    a.before = any_desc();
    a.d = a.before;
    a.device.sid = nondet_u16();
    a.device.pfsid = nondet_u16();
    a.device.max_pending = nondet_u32();
    return a;
}

static bool is_block(const struct any *a)
{
    return a->order <= 52 && (a->address & 4095) == 0 &&
           (a->order == 0 || a->address << (52 - a->order) == 0);
}

/* The code says whether there is a descriptor, and without one nothing is
 * written; the upper words are zero. */
static bool encoded(const struct any *a, int rc, bool ok)
{
    CLAIM((rc == 0) == ok);
    if (rc != 0)
        CLAIM(same_desc(&a->d, &a->before));
    else
        CLAIM(a->d.qw[2] == 0 && a->d.qw[3] == 0);
    return rc == 0;
}

/* Context cache: everything, a domain, a device. */
void proof_qi_context(void)
{
    const unsigned int mask = nondet_u32();
    const uint16_t sid = nondet_u16();
    struct any a = any_inputs();
    uint64_t rest;

    vtdpi_qi_encode_context_global(&a.d);
    CLAIM(a.d.qw[0] == 0x11 && (a.d.qw[1] | a.d.qw[2] | a.d.qw[3]) == 0);
    a.d = a.before;
    if (encoded(&a, vtdpi_qi_encode_context_domain(&a.d, a.domain),
                a.domain < 65536)) {
        CLAIM(a.d.qw[0] == (0x21 | (uint64_t)a.domain << 16));
        CLAIM(a.d.qw[1] == 0);
    }
    a.d = a.before;
    if (!encoded(&a, vtdpi_qi_encode_context_device(&a.d, a.domain, sid, mask),
                 a.domain < 65536 && mask < 4))
        return;
    rest = (uint64_t)a.domain << 16 | (uint64_t)sid << 32;
    CLAIM(a.d.qw[0] == (0x31 | rest | (uint64_t)mask << 48));
    CLAIM((a.d.qw[0] & VTDPI_CONTEXT_RESERVED) == 0 && a.d.qw[1] == 0);
}

/* IOTLB: everything, a domain, pages. */
void proof_qi_iotlb(void)
{
    struct any a = any_inputs();
    const uint64_t drain = (uint64_t)(a.flags & 3) << 6;
    const uint64_t domain = (uint64_t)a.domain << 16;

    if (encoded(&a, vtdpi_qi_encode_iotlb_global(&a.d, a.flags), a.flags < 4))
        CLAIM(a.d.qw[0] == (0x12 | drain) && a.d.qw[1] == 0);
    a.d = a.before;
    if (encoded(&a, vtdpi_qi_encode_iotlb_domain(&a.d, a.domain, a.flags),
                a.domain < 65536 && a.flags < 4))
        CLAIM(a.d.qw[0] == (0x22 | domain | drain) && a.d.qw[1] == 0);
    a.d = a.before;
    if (!encoded(&a,
                 vtdpi_qi_encode_iotlb_pages(&a.d, a.domain, a.address, a.order,
                                             a.flags),
                 a.domain < 65536 && a.flags < 8 && is_block(&a)))
        return;
    CLAIM(a.d.qw[0] == (0x32 | domain | drain));
    CLAIM((a.d.qw[0] & VTDPI_IOTLB_RESERVED) == 0);
    CLAIM(a.d.qw[1] == (a.address | a.order | (a.flags & 4) << 4));
    CLAIM((a.d.qw[1] & VTDPI_IOTLB_HI_RESERVED) == 0);
    CLAIM((a.d.qw[1] & VTDPI_IOTLB_HI_ADDR) == a.address);
    REACH(a.order == 52);
}

/* The PASID cache, and translations of a PASID. */
void proof_qi_pasid(void)
{
    struct any a = any_inputs();
    const bool leaf_only = nondet_bool();
    const bool ok = a.domain < 65536 && a.pasid < 1u << 20;
    const uint64_t rest = (uint64_t)a.domain << 16 | (uint64_t)a.pasid << 32;

    vtdpi_qi_encode_pasid_cache_global(&a.d);
    CLAIM(a.d.qw[0] == 0x37 && (a.d.qw[1] | a.d.qw[2] | a.d.qw[3]) == 0);
    a.d = a.before;
    if (encoded(&a, vtdpi_qi_encode_pasid_cache_domain(&a.d, a.domain),
                a.domain < 65536))
        CLAIM(a.d.qw[0] == (7 | (uint64_t)a.domain << 16) && a.d.qw[1] == 0);
    a.d = a.before;
    if (encoded(&a, vtdpi_qi_encode_pasid_cache(&a.d, a.domain, a.pasid), ok))
        CLAIM(a.d.qw[0] == (0x17 | rest) && a.d.qw[1] == 0);
    a.d = a.before;
    if (encoded(&a, vtdpi_qi_encode_pasid_iotlb(&a.d, a.domain, a.pasid), ok))
        CLAIM(a.d.qw[0] == (0x26 | rest) && a.d.qw[1] == 0);
    a.d = a.before;
    if (!encoded(&a,
                 vtdpi_qi_encode_pasid_iotlb_pages(
                     &a.d, a.domain, a.pasid, a.address, a.order, leaf_only),
                 ok && is_block(&a)))
        return;
    CLAIM(a.d.qw[0] == (0x36 | rest));
    CLAIM((a.d.qw[0] & VTDPI_PASID_CACHE_RESERVED) == 0);
    CLAIM(a.d.qw[1] == (a.address | a.order | (leaf_only ? 64 : 0)));
}

/* Pages in the form of ATS: as many ones as the order less one, above them a
 * zero within the block. */
static void check_ats(const struct any *a, bool size)
{
    const unsigned int zero = 12 + a->order - 1;

    CLAIM(size == (a->order != 0));
    if (a->order == 0) {
        CLAIM((a->d.qw[1] & ~UINT64_C(4095)) == a->address);
        return;
    }
    CLAIM((a->d.qw[1] >> zero & 1) == 0);
    CLAIM(zero == 12 ||
          bits(a->d.qw[1], zero - 1, 12) == ~UINT64_C(0) >> (64 - (zero - 12)));
    CLAIM(zero == 63 || a->d.qw[1] >> zero == a->address >> zero);
}

/* What a device has cached. */
void proof_qi_dev_tlb(void)
{
    struct any a = any_inputs();
    const int rc = vtdpi_qi_encode_dev_tlb(&a.d, &a.device, a.address, a.order);

    if (!encoded(&a, rc, is_block(&a) && a.device.max_pending <= 32))
        return;
    CLAIM((a.d.qw[0] & UINT64_C(0x000f0000ffe00fff)) == 3);
    CLAIM((a.d.qw[0] & VTDPI_DEV_TLB_RESERVED) == 0);
    CLAIM(bits(a.d.qw[0], 20, 16) == a.device.max_pending % 32);
    CLAIM(bits(a.d.qw[0], 47, 32) == a.device.sid);
    CLAIM((bits(a.d.qw[0], 63, 52) << 4 | bits(a.d.qw[0], 15, 12)) ==
          a.device.pfsid);
    CLAIM((a.d.qw[1] & VTDPI_DEV_TLB_HI_RESERVED) == 0);
    CLAIM((a.d.qw[1] & ~(VTDPI_DEV_TLB_HI_ADDR | 1)) == 0);
    check_ats(&a, (a.d.qw[1] & 1) != 0);
    REACH(a.order == 52);
}

/* What a device has cached of a PASID. */
void proof_qi_pasid_dev_tlb(void)
{
    struct any a = any_inputs();
    const int rc = vtdpi_qi_encode_pasid_dev_tlb(&a.d, &a.device, a.pasid,
                                                 a.address, a.order);

    if (!encoded(&a, rc,
                 is_block(&a) && a.device.max_pending <= 32 &&
                     a.pasid < 1u << 20))
        return;
    CLAIM((a.d.qw[0] & 0xe0f) == 8);
    CLAIM((a.d.qw[0] & VTDPI_PASID_DEV_TLB_RESERVED) == 0);
    CLAIM(bits(a.d.qw[0], 8, 4) == a.device.max_pending % 32);
    CLAIM(bits(a.d.qw[0], 31, 16) == a.device.sid);
    CLAIM(bits(a.d.qw[0], 51, 32) == a.pasid);
    CLAIM((bits(a.d.qw[0], 63, 52) << 4 | bits(a.d.qw[0], 15, 12)) ==
          a.device.pfsid);
    CLAIM((a.d.qw[1] & VTDPI_PASID_DEV_TLB_HI_RESERVED) == 0);
    CLAIM((a.d.qw[1] & ~(VTDPI_PASID_DEV_TLB_HI_ADDR | 1u << 11)) == 0);
    check_ats(&a, (a.d.qw[1] >> 11 & 1) != 0);
    REACH(a.order == 52);
}

/* A queue of any size and width, at any position. */
static struct vtdpi_qi any_queue(unsigned int *order)
{
    struct vtdpi_qi qi = {0};
    const enum vtdpi_qi_width width =
        nondet_bool() ? VTDPI_QI_256 : VTDPI_QI_128;

    *order = nondet_u32();
    ASSUME(*order <= 7);
    qi.slots = vtdpi_qi_slots(*order, width);
    qi.words = width == VTDPI_QI_256 ? 4 : 2;
    qi.order = *order;
    qi.head = nondet_u32();
    qi.tail = nondet_u32();
    ASSUME(qi.head < qi.slots && qi.tail < qi.slots);
    return qi;
}

/* The ring is as many bytes as the unit is told, and positions stay in it. */
void proof_qi_positions(void)
{
    unsigned int order;
    const struct vtdpi_qi qi = any_queue(&order);
    const uint32_t a = nondet_u32();
    const uint32_t b = nondet_u32();
    const uint32_t n = nondet_u32();

    CLAIM(qi.slots * qi.words * 8 == UINT32_C(4096) << order);
    ASSUME(a < qi.slots && b < qi.slots && n < qi.slots);
    CLAIM(ring_distance(&qi, a, b) < qi.slots &&
          ring_advance(&qi, a, n) < qi.slots);
    CLAIM(ring_advance(&qi, a, ring_distance(&qi, a, b)) == b);
    CLAIM(ring_distance(&qi, a, ring_advance(&qi, a, n)) == n);
    /* Used and free slots, and the one that is always free. */
    CLAIM(ring_used(&qi) + ring_free(&qi) == qi.slots - 1);
    CLAIM(!slot_is_behind(&qi, qi.head, qi.head));
    REACH(qi.words == 4 && qi.slots == 16384);
}

/* A slot is written within the ring, in the width of the queue; what is beside
 * it stays; it reads back. */
void proof_qi_slot(void) /* unwind 17 */
{
    static uint64_t ring[16]; /* 8 slots of 128 bits, 4 of 256 */
    struct vtdpi_qi qi = {0};
    const struct vtdpi_qi_desc d = any_desc();
    const uint32_t other = nondet_u32();
    struct vtdpi_qi_desc back;
    uint64_t kept;
    uint32_t slot;

    for (int i = 0; i < 16; i++)
        ring[i] = nondet_u64();
    qi.ring = ring;
    qi.words = nondet_bool() ? 4 : 2;
    slot = nondet_u32();
    ASSUME(slot < 16 / qi.words && other < 16 && other / qi.words != slot);
    kept = ring[other];
    slot_write(&qi, slot, &d);
    CLAIM(ring[other] == kept);
    CLAIM(ring[slot * qi.words] == d.qw[0]);
    CLAIM(ring[slot * qi.words + 1] == d.qw[1]);
    CLAIM(qi.words == 2 || (ring[slot * qi.words + 2] == d.qw[2] &&
                            ring[slot * qi.words + 3] == d.qw[3]));
    slot_read(&qi, slot, &back);
    CLAIM(back.qw[0] == d.qw[0] && back.qw[1] == d.qw[1]);
    CLAIM(back.qw[2] == (qi.words == 4 ? d.qw[2] : 0));
    CLAIM(back.qw[3] == (qi.words == 4 ? d.qw[3] : 0));
}

/* The registers of a unit that answers anything and remembers what is written.
 */
static uint64_t answered;
static uint32_t answered_fsts;
static uint64_t written_iqt;
static uint64_t written_iqa;
static uint32_t written_fsts;

static uint32_t read32(void *ctx, uint32_t at)
{
    (void)ctx;
    CLAIM(at == 0x34);
    answered_fsts = nondet_u32();
    return answered_fsts;
}

static uint64_t read64(void *ctx, uint32_t at)
{
    (void)ctx;
    (void)at;
    answered = nondet_u64();
    return answered;
}

static void write32(void *ctx, uint32_t at, uint32_t value)
{
    (void)ctx;
    CLAIM(at == 0x34);
    written_fsts = value;
}

static void write64(void *ctx, uint32_t at, uint64_t value)
{
    (void)ctx;
    CLAIM(at == 0x88 || at == 0x90);
    if (at == 0x88)
        written_iqt = value;
    else
        written_iqa = value;
}

static uintptr_t lock(void *ctx)
{
    (void)ctx;
    return 0;
}

static void unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

static const struct vtdpi_platform_ops ops = {
    .read32 = read32,
    .write32 = write32,
    .read64 = read64,
    .write64 = write64,
    .lock = lock,
    .unlock = unlock,
};

/* What the unit is told of the queue: address, width, size; tail 0. Of what others
 * left in FSTS exactly those bits are written that are cleared by ones and read
 * as one. */
void proof_qi_program(void)
{
    unsigned int order;
    struct vtdpi_qi qi = any_queue(&order);
    const uint64_t base = nondet_u64();

    ASSUME(base % 4096 == 0);
    qi.ops = &ops;
    qi.ring_phys = base;
    written_iqt = nondet_u64();
    written_fsts = 0;
    vtdpi_qi_program(&qi);
    CLAIM(written_iqa == (base | (qi.words == 4 ? 0x800 : 0) | order));
    CLAIM(written_iqt == 0 &&
          written_fsts ==
              (answered_fsts == UINT32_MAX ? 0 : answered_fsts & 0xfd));
    CLAIM(qi.head == 0 && qi.tail == 0);
}

/* Whatever the head register says, our idea of the head stays between what it
 * was and the tail. */
void proof_qi_head(void)
{
    unsigned int order;
    struct vtdpi_qi qi = any_queue(&order);
    const uint32_t before = qi.head;
    const uint32_t used = ring_used(&qi);

    qi.ops = &ops;
    if (ring_read_head(&qi) != HEAD_VALID)
        CLAIM(qi.head == before);
    else
        CLAIM(qi.head == bits(answered, 18, 4) >> (qi.words == 4));
    CLAIM(qi.head < qi.slots);
    CLAIM(ring_used(&qi) <= used);
    REACH(qi.head != before && qi.head == qi.tail);
}

/* The tail goes out as a byte offset of either width. */
void proof_qi_tail(void)
{
    unsigned int order;
    struct vtdpi_qi qi = any_queue(&order);

    qi.ops = &ops;
    ring_publish_tail(&qi);
    CLAIM(written_iqt == (uint64_t)qi.tail << (qi.words == 4 ? 5 : 4));
    CLAIM(written_iqt < UINT64_C(4096) << order);
}

/* The word of a ticket: one in flight is not resolved, and codes come back. */
void proof_qi_ticket(void)
{
    const uint32_t slot = nondet_u32();
    const uint32_t sequence = nondet_u32();
    const int code = (int)nondet_u32();

    CLAIM(word_is_resolved(word_resolved(code)));
    CLAIM(word_code(word_resolved(code)) == code);
    CLAIM(word_is_resolved(word_in_flight(slot, sequence)) == (sequence == 0));
    CLAIM(word_in_flight(slot, sequence) >> 32 == slot);
}

/* A sequence number is never 0, nor what the status word holds already. */
void proof_qi_sequence(void) /* unwind 4 */
{
    static uint32_t status[8];
    struct vtdpi_qi qi = {0};
    const uint32_t slot = nondet_u32();
    uint32_t next;

    ASSUME(slot < 8);
    status[slot] = nondet_u32();
    qi.status = status;
    qi.sequence = nondet_u32();
    next = ring_next_sequence(&qi, slot);
    CLAIM(next != 0 && next != status[slot] && next == qi.sequence);
}

/* Which descriptors make the unit talk to a device, and to which. */
void proof_qi_device(void)
{
    static uint64_t ring[4];
    struct vtdpi_qi qi = {0};
    uint64_t sid = 0;

    ring[0] = nondet_u64();
    qi.ring = ring;
    qi.words = 4;
    if (!slot_is_device_flush(&qi, 0, &sid)) {
        CLAIM((ring[0] & 15) != 3 && (ring[0] & 15) != 8);
        return;
    }
    if ((ring[0] & 15) == 3)
        CLAIM(sid == bits(ring[0], 47, 32));
    else
        CLAIM((ring[0] & 15) == 8 && sid == bits(ring[0], 31, 16));
}

/* A submission of up to 2 descriptors to an empty queue of 4 slots: they are in
 * the ring in order, with their wait behind them, and the tail is told. */
void proof_qi_submit(void)
{
    static uint64_t ring[8];
    static uint32_t status[4];
    struct vtdpi_qi qi = {0};
    struct vtdpi_qi_desc d[2] = {any_desc(), any_desc()};
    struct vtdpi_qi_ticket t;
    const uint32_t count = nondet_u32();
    struct vtdpi_qi_desc got;
    int rc;

    qi.ops = &ops;
    qi.ring = ring;
    qi.status = status;
    qi.status_phys = nondet_u64();
    qi.words = 2;
    qi.slots = 4;
    qi.tail = nondet_u32();
    qi.sequence = nondet_u32();
    qi.open = true;
    ASSUME(count <= 2 && qi.tail < qi.slots && qi.status_phys % 4 == 0);
    ASSUME(qi.status_phys < UINT64_C(1) << 52);
    qi.head = qi.tail;
    rc = vtdpi_qi_submit(&qi, d, count, &t);
    CLAIM(rc == 0 || rc == VTDPI_ERANGE);
    if (rc != 0) {
        CLAIM(word_is_resolved(t.word) && word_code(t.word) == rc);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        slot_read(&qi, ring_advance(&qi, qi.head, i), &got);
        CLAIM(same_desc(&got, &d[i]));
    }
    slot_read(&qi, ring_advance(&qi, qi.head, count), &got);
    CLAIM(got.qw[0] == (0x65 | (uint64_t)qi.sequence << 32));
    CLAIM(got.qw[1] ==
          qi.status_phys + 4 * (uint64_t)ring_advance(&qi, qi.head, count));
    CLAIM(ring_distance(&qi, qi.head, qi.tail) == count + 1);
    CLAIM(written_iqt == (uint64_t)qi.tail * qi.words * 8);
    REACH(count == 2 && qi.tail == 1);
}
