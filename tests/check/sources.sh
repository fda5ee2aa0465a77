#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: rules of the source tree
. "$ROOT/tests/check/lib.sh"

by_suffix='\.([chS]|py|sh|map|kbuild)'
by_name='(^|/)(meson\.build|sources\.mk|Kbuild|meson_options\.txt|stage-[a-z0-9]+|all|run)'
dots='(^|/)\.(clang-format|clang-tidy|editorconfig)'

# code: the files of the tree that are code; texts: all that people write.
code() {
    tree | grep -E "($by_suffix|$by_name)\$"
}

texts() {
    tree | grep -E "($by_suffix|$by_name|$dots|\.md|\.in|(^|/)VERSION)\$"
}

# The only file that names a compiler atomic is atomic.h.
atomics() {
    grep -rnE '__atomic_|__sync_|_Atomic|stdatomic|\b(__)?asm(__)?\b' \
        include src | grep -v '^include/vtdpi/atomic\.h:'
}

# Words that others change are accessed through it, too. Pure functions, which
# touch no such word, are left out.
shared_words() {
    find include/vtdpi/pid.h src -maxdepth 1 -type f -name '*.[ch]' |
        grep -vE '/(caps|dmar|dmar_check|irte|msi|source|status|verdict|version|inline)\.c$' | sort |
        xargs python3 tests/check/shared_words.py
}

# Kernels define the bare words as macros: noinline, cold, aligned.
bare_attributes() {
    grep -rnE '__attribute__\(\((.*\), *)?[a-z]' bench examples include src \
        tests --include='*.[ch]'
}

# What a freestanding library may include. Only compiler.h includes what is not
# the library's own, so that a host without these headers has one place to set.
includes() {
    grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' include src |
        grep -vE '^include/vtdpi/compiler\.h:.*include <std(def|int|bool)\.h>$' |
        grep -vE '^include/vtdpi/compiler\.h:.*include VTDPI_[A-Z]*_HEADER$' |
        grep -vE 'include "(vtdpi/)?[a-z_]+\.h"$'
}

unlicensed() {
    code | while read -r file; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
            echo "$file"
    done
}

blanks() {
    texts | xargs grep -nE '[[:blank:]]+$'
    code | xargs grep -n "$(printf '\t')"
}

no_final_newline() {
    texts | while read -r file; do
        [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo "$file"
    done
}

# Paths of somebody's machine.
machine_paths() {
    texts | xargs grep -nE '(^|[^A-Za-z0-9_.}/])/(home|work|root|tmp)/[a-z]' |
        grep -v '^tests/check/sources.sh:'
}

# Hardware formats are words and masks: a bit-field is laid out by the compiler.
bit_fields() {
    grep -rnE '\b(unsigned|int|bool|u?int[0-9]+_t)[a-z_0-9 ]* *: *[0-9]+ *[;,]' \
        include src
}

unlisted() {
    (cd src && ls -- *.c model/*.c) | while read -r name; do
        [ "$(grep -c "^VTDPI_PART_[a-z]* += $name\$" src/sources.mk)" -eq 1 ] ||
            echo "src/$name is not once in src/sources.mk"
    done
    # The parts of the model and of the symbols are in no set.
    sed -n 's/^VTDPI_PART_\([a-z]*\) += .*/\1/p' src/sources.mk | sort -u |
        grep -vxE 'model|symbols' | while read -r name; do
        grep -q "^VTDPI_SET_.*(VTDPI_PART_$name)" src/sources.mk ||
            echo "part $name of src/sources.mk is in no set"
    done
    (cd include/vtdpi && ls -- *.h) | while read -r name; do
        grep -q "^  '$name',$" include/vtdpi/meson.build ||
            echo "include/vtdpi/$name"
        case $name in
        vtdpi.h | model.h | conform.h | explore.h | explore_kernel.h) ;;
        *)
            cc -MM -Iinclude include/vtdpi/vtdpi.h | grep -q "/$name\b" ||
                echo "include/vtdpi/$name is not in vtdpi.h"
            ;;
        esac
    done
    find tests/unit -name 'test_*.c' | while read -r file; do
        name=$(basename "$file" .c)
        grep -q "'${name#test_}'" tests/unit/meson.build || echo "$file"
    done
}

# The model is the judge: it must not share code with what it judges, only
# names, numbers and the types of callbacks.
model_includes() {
    find src/model include/vtdpi -path '*model*' -name '*.[ch]' \
        -exec grep -nHE '#[[:space:]]*include "vtdpi/' {} + |
        grep -vE '"vtdpi/(regs|compiler|config|atomic|platform|status|model)\.h"'
}

# Its files are layers, and the script that says so notices an upward call.
model_layers() {
    python3 tests/check/model_layers.py src/model
    rm -rf "$OUT/layers" && cp -R src/model "$OUT/layers"
    echo 'void f(void) { vtdpi_model_queue_run_(NULL); }' \
        >>"$OUT/layers/model_fault.c"
    python3 tests/check/model_layers.py "$OUT/layers" |
        grep -q '^model_fault.c:.*vtdpi_model_queue_run_' ||
        echo 'an upward call is not noticed'
}

open_tasks() {
    texts | xargs grep -nE '\b(TODO|FIXME|XXX)\b' |
        grep -vE '(TODO|FIXME)\(#[0-9]+\)|^tests/check/sources.sh:'
}

# Numbers that two error codes share, and codes without a text of their own.
error_codes() {
    grep -oE ' = -?[0-9]+,' include/vtdpi/status.h | sort | uniq -d
    grep -oE 'VTDPI_[A-Z0-9_]+ = ' include/vtdpi/status.h | while read -r name _; do
        grep -q "{$name," src/status.c || echo "$name: no text in src/status.c"
    done
}

# Neither a build folder, whatever its name, nor a file that is only lying here.
stray_files() {
    rm -rf "$OUT/stray"
    mkdir -p "$OUT/stray/out/meson-private" "$OUT/stray/src"
    (
        ROOT=$OUT/stray
        cd "$ROOT" && git init -q && touch src/kept.c out/b.c a.c || exit 1
        git add src/kept.c || exit 1
        tree | grep -v '^src/kept.c$'
        [ "$(copy_tree copy && find copy -type f)" = copy/src/kept.c ] ||
            echo 'the copy of the tree has other files than the tree'
    )
}

need 'only what git tracks is judged' git tar &&
    none 'only what git tracks is judged' stray_files
none 'atomics only in atomic.h' atomics
none 'no shared word is accessed past atomic.h' shared_words
none 'freestanding includes only' includes
none 'attributes have underscores' bare_attributes
none 'no bit-fields' bit_fields
none 'the model shares no code' model_includes
need 'the files of the model are layers' python3 &&
    none 'the files of the model are layers' model_layers
none 'every file is in its list' unlisted
none 'SPDX line in every file' unlicensed
none 'no trailing blanks, no tabs' blanks
none 'final newline' no_final_newline
none 'no path of a machine' machine_paths
none 'open tasks name their issue' open_tasks
none 'error codes have a number and a text of their own' error_codes
check 'every file has the version of VERSION' packaging/version.sh --check
check 'CHANGELOG knows the version' grep -qE \
    "^## (Unreleased|$(sed 's/\./\\./g' VERSION)( |\$))" CHANGELOG.md
