# SPDX-License-Identifier: BSD-2-Clause
"""Single bits for mutants.py to flip. Each place where words leave an encoder
or make a register gets a word that is exclusive-ored into it; one kernel serves
all, its command line says which bit."""

from mutant import IRTE, MODES, MSI, QI, QI_H, UNIT, Step

SITES = (
    ("IRTE, bits 63:0", 64),
    ("IRTE, bits 127:64", 64),
    ("IEC, bits 63:0", 64),
    ("IEC, bits 127:64", 64),
    ("global IEC, bits 63:0", 64),
    ("global IEC, bits 127:64", 64),
    ("wait, bits 63:0", 64),
    ("wait, bits 127:64", 64),
    ("MSI address, low", 32),
    ("MSI address, high", 32),
    ("MSI data", 32),
    ("RTE", 64),
    ("IRTA", 64),
    ("IQA", 64),
)

HOOKS = (
    (
        "include/vtdpi/compiler.h",
        "VTDPI_STATIC_ASSERT(sizeof(unsigned long long) == 8,",
        f"extern uint64_t emulated_flip[{len(SITES)}];\n"
        "VTDPI_STATIC_ASSERT(sizeof(unsigned long long) == 8,",
    ),
    (
        "tests/emulated/intel_iommu/main.c",
        "int main(const char *command_line)\n{\n",
        f"uint64_t emulated_flip[{len(SITES)}];\n\n"
        "static unsigned int number(const char **text)\n{\n"
        "    unsigned int n = 0;\n\n"
        "    for (; **text >= '0' && **text <= '9'; ++*text)\n"
        "        n = n * 10 + (unsigned int)(**text - '0');\n"
        "    return n;\n}\n\n"
        "/* A word flip=SITE:BIT. */\n"
        "static void flip(const char *text)\n{\n"
        "    for (; *text != '\\0'; text++) {\n"
        "        unsigned int site;\n\n"
        '        if (memcmp(text, "flip=", 5) != 0)\n'
        "            continue;\n"
        "        text += 5;\n"
        "        site = number(&text);\n"
        "        text++;\n"
        "        emulated_flip[site] = UINT64_C(1) << number(&text);\n"
        "        return;\n"
        "    }\n}\n\n"
        "int main(const char *command_line)\n{\n"
        "    flip(command_line);\n",
    ),
    (
        IRTE,
        "        rc = remapped_is_empty(fields) ? 0 : VTDPI_EIRTE_ABSENT;\n    }\n",
        "        rc = remapped_is_empty(fields) ? 0 : VTDPI_EIRTE_ABSENT;\n    }\n"
        "    e.lo ^= emulated_flip[0];\n    e.hi ^= emulated_flip[1];\n",
    ),
    (
        QI_H,
        "    d.qw[0] |= VTDPI_FIELD_PUT(first, VTDPI_IEC_IIDX);\n",
        "    d.qw[0] |= VTDPI_FIELD_PUT(first, VTDPI_IEC_IIDX);\n"
        "    d.qw[0] ^= emulated_flip[2];\n    d.qw[1] ^= emulated_flip[3];\n",
    ),
    (
        QI_H,
        "    const struct vtdpi_qi_desc d = {{VTDPI_QI_IEC, 0, 0, 0}};\n\n"
        "    *out = d;\n",
        "    const struct vtdpi_qi_desc d = {{VTDPI_QI_IEC, 0, 0, 0}};\n\n"
        "    *out = d;\n"
        "    out->qw[0] ^= emulated_flip[4];\n    out->qw[1] ^= emulated_flip[5];\n",
    ),
    (
        QI_H,
        "    if (status % 4 != 0)\n        return VTDPI_EALIGN;\n    *out = d;\n",
        "    if (status % 4 != 0)\n        return VTDPI_EALIGN;\n    *out = d;\n"
        "    out->qw[0] ^= emulated_flip[6];\n    out->qw[1] ^= emulated_flip[7];\n",
    ),
    (
        MSI,
        "    out->address_hi = 0;\n    out->data = 0;\n    return 0;\n",
        "    out->address_hi = 0;\n    out->data = 0;\n"
        "    out->address_lo ^= (uint32_t)emulated_flip[8];\n"
        "    out->address_hi ^= (uint32_t)emulated_flip[9];\n"
        "    out->data ^= (uint32_t)emulated_flip[10];\n    return 0;\n",
    ),
    (
        MSI,
        "           (fields->masked ? VTDPI_RTE_MASK : 0);\n    return 0;\n",
        "           (fields->masked ? VTDPI_RTE_MASK : 0);\n"
        "    *out ^= emulated_flip[11];\n    return 0;\n",
    ),
    (
        UNIT,
        "    return irt->phys | (irt_is_extended(irt) ? VTDPI_IRTA_EIME : 0) |\n"
        "           VTDPI_FIELD_PUT(irt->order - 1, VTDPI_IRTA_S);\n",
        "    return emulated_flip[12] ^\n"
        "           (irt->phys | (irt_is_extended(irt) ? VTDPI_IRTA_EIME : 0) |\n"
        "            VTDPI_FIELD_PUT(irt->order - 1, VTDPI_IRTA_S));\n",
    ),
    (
        QI,
        "VTDPI_IQA_REG, iqa_value(qi));\n",
        "VTDPI_IQA_REG,\n"
        "                emulated_flip[13] ^ iqa_value(qi));\n",
    ),
)


def bits():
    for site, (name, count) in enumerate(SITES):
        for bit in range(count):
            yield Step(f"{name}: bit {bit}", (), MODES, f"brief flip={site}:{bit}")
