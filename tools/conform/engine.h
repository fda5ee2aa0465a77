/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TOOLS_ENGINE_H
#define VTDPI_TOOLS_ENGINE_H

/* What the parts of the engine share; the phases see conform.h only. */

#include <stdio.h>

#include "conform.h"

enum {
    FINDINGS_MAX = 12, /* of a phase; more are counted */
    TEXT_MAX = 640,
    INLINED_MAX = 8, /* functions at an address */
};

struct finding {
    bool is_note;
    enum vtdpi_model_severity severity;
    uintptr_t where[FRAMES_MAX]; /* addresses in the driver; 0: none */
    char text[TEXT_MAX];
};

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_SKIP,
};

/* What a phase came to. Parent and children share it. */
struct record {
    unsigned int count; /* of findings, notes included */
    unsigned int lost;  /* for want of room */
    struct finding findings[FINDINGS_MAX];
    unsigned int accesses; /* to registers, in the latest call */
    unsigned int parts;    /* of the phase, so far */
    unsigned int idle;     /* of these: they say nothing of the driver */
    bool hung;             /* a call that had to be ended by real time */
    bool ended; /* the child that runs has ended its part by itself */
    bool skipped;
    char reason[TEXT_MAX]; /* of what was skipped last */
};

enum verdict record_verdict(const struct record *r);

/* record.c: in a child, of the phase that runs. */
extern struct record *record;
/* Ends the child that runs. */
_Noreturn void end_phase(void);

/* trial.c: the unit as the driver reaches it. @p where is in the driver. */
extern const struct phase *phase;
extern bool verbose;
extern bool with_traps;
extern unsigned int call_seconds; /* of real time, for a call */
/* Runs a function in a child, and finds when the child dies. */
void run_child(void (*run)(void));
/* The driver comes up, or says that it does not. */
void try_start(void);
/* For has_neighbor: skips if the driver maps one interrupt only. */
void try_neighbor(void);
void spend(uintptr_t where); /* one access, pause or look at the clock */
uint64_t unit_read(uint32_t off, unsigned int bytes, uintptr_t where);
void unit_write(uint32_t off, unsigned int bytes, uint64_t value,
                uintptr_t where);
/* A register access of a kind that the model is never asked for. */
void violate(enum vtdpi_model_violation_kind kind, uint32_t where,
             uint64_t value);
void was_at(uintptr_t where);
_Noreturn void driver_died(const char *how, uintptr_t where);

/* trap_x86_64.c, or trap_none.c: in the child. False: not on this host. */
bool traps_exist(void);
/* Whether nothing else is where the registers have to be; in the parent. */
bool traps_have_room(void);
bool traps_up(void);
/* Whether an access is being stepped over. */
bool traps_busy(void);
/* Memory that traps when it is stored to; @p stored is called after each store, with
 * what 16 aligned bytes held before. With @p cleaned, memory that traps whenever it is
 * reached, and that is called before a cache line is written back. Either may be NULL.
 * bytes 0: none. */
bool traps_watch(uintptr_t base, size_t bytes,
                 void (*stored)(uint32_t index, const uint64_t before[2]),
                 void (*cleaned)(uintptr_t address));

/* frames.c: addresses of the driver's stack. */
/* A call of the driver begins: @p top is the frame of who calls. */
void frames_begin(uintptr_t top);
/* @p where, and who has called that; 0: where a signal has interrupted the driver. If the
 * stack says nothing, @p where alone. @p frames are zeros before. */
void frames_find(uintptr_t where, uintptr_t frames[FRAMES_MAX]);
/* A crash is of that, and not of the driver. */
bool frames_are_walked(void);

/* where.c: file, line and function of addresses, by addr2line. */
struct line {
    char file[256]; /* with the line; empty: not known */
    char function[128];
};
struct place {
    uintptr_t address;
    /* The first is inlined into the next, and so on. */
    struct line lines[INLINED_MAX];
};
void places_find(struct place *places, size_t count);

/* report.c */
enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_TAP,
};

struct result {
    const struct phase *phase;
    struct record record;
};

/* False: the report could not be written. */
bool report_print(FILE *out, enum format format, bool color,
                  const char *driver_name, const struct result *results,
                  size_t count);

#endif
