/* SPDX-License-Identifier: BSD-2-Clause */
/* Archives of the format ustar; see tar.h. Two kinds of members and no long names are
 * all that vtdpi needs: a library for archives would be its largest dependency. */
#include <string.h>

#include "tar.h"

enum {
    BLOCK = 512
};

/* POSIX, pax: ustar Interchange Format. Numbers are octal text. */
struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155];
    char pad[12];
};

static void octal(char *field, size_t size, unsigned long value)
{
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static bool header_write(FILE *to, const char *name, char type,
                         unsigned long mode, size_t size)
{
    struct header h;
    const unsigned char *const bytes = (const unsigned char *)&h;
    unsigned long sum = 0;

    memset(&h, 0, sizeof(h));
    if (strlen(name) >= sizeof(h.name) || size >> 33 != 0)
        return false;
    memcpy(h.name, name, strlen(name));
    octal(h.mode, sizeof(h.mode), mode);
    octal(h.uid, sizeof(h.uid), 0);
    octal(h.gid, sizeof(h.gid), 0);
    octal(h.size, sizeof(h.size), (unsigned long)size);
    octal(h.mtime, sizeof(h.mtime), 0);
    h.type = type;
    memcpy(h.magic, "ustar", sizeof(h.magic));
    memcpy(h.version, "00", sizeof(h.version));
    /* The sum is over a header whose sum is blanks. */
    memset(h.checksum, ' ', sizeof(h.checksum));
    for (size_t i = 0; i < sizeof(h); i++)
        sum += bytes[i];
    octal(h.checksum, sizeof(h.checksum) - 1, sum);
    return fwrite(&h, sizeof(h), 1, to) == 1;
}

static bool zeros(FILE *to, size_t size)
{
    static const char zero[BLOCK];

    return size == 0 || fwrite(zero, size, 1, to) == 1;
}

bool tar_folder(FILE *to, const char *name)
{
    return header_write(to, name, '5', 0755, 0);
}

bool tar_file(FILE *to, const char *name, const char *bytes, size_t size)
{
    return header_write(to, name, '0', 0644, size) &&
           (size == 0 || fwrite(bytes, size, 1, to) == 1) &&
           zeros(to, (BLOCK - size % BLOCK) % BLOCK);
}

bool tar_end(FILE *to)
{
    return zeros(to, BLOCK) && zeros(to, BLOCK);
}
