/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_MODULE_H
#define SHIM_SYS_MODULE_H

#include <sys/kernel.h>

typedef struct module *module_t;
typedef int (*modeventhand_t)(module_t, int, void *);
typedef enum modeventtype {
    MOD_LOAD,
    MOD_UNLOAD,
    MOD_SHUTDOWN,
    MOD_QUIESCE
} modeventtype_t;

typedef struct moduledata {
    const char *name;
    modeventhand_t evhand;
    void *priv;
} moduledata_t;

void module_register_init(const void *arg);
void module_deregister(const void *arg);
#define DECLARE_MODULE(name, data, sub, order)                             \
    SYSINIT(name##_module, (sub), (order), module_register_init, &(data)); \
    SYSUNINIT(name##_module, (sub), (order), module_deregister, &(data))
#define MODULE_VERSION(name, version)                   struct __hack
#define MODULE_DEPEND(name, mdepend, vmin, vpref, vmax) struct __hack

#endif
